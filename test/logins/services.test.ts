import { describe, expect, test } from 'vitest';
import { SERVICES } from '../../src/logins/services.js';
import { line, read } from './lines.js';

/** Of each service: a login, an end if it tells of one, a failure, and something that only looks like a login. */
const SAID: Readonly<Record<string, { login: string; logout?: string; failure?: string; near: string }>> = {
  sshd: {
    login: 'Accepted password for bob from 203.0.113.77 port 40001 ssh2',
    logout: 'Disconnected from user bob 203.0.113.77 port 40001',
    failure: 'Failed password for bob from 203.0.113.77 port 40001 ssh2',
    near: 'Accepted certificate ID "x" (serial 1) signed by RSA CA SHA256:x via /etc/ssh/ca.pub',
  },
  dovecot: {
    login: 'pop3-login: Login: user=<bob>, method=PLAIN, rip=203.0.113.77, lip=192.0.2.1, mpid=2, TLS, session=<x>',
    failure:
      'imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<bob>, method=PLAIN, rip=203.0.113.77, lip=192.0.2.1',
    near: 'imap(bob): Login: user=<bob>, method=PLAIN, rip=203.0.113.77, lip=192.0.2.1, x',
  },
  vsftpd: {
    login: '[bob] OK LOGIN: Client "203.0.113.77"',
    failure: '[bob] FAIL LOGIN: Client "203.0.113.77"',
    near: '[bob] OK DOWNLOAD: Client "203.0.113.77", "/OK LOGIN: Client ", 1 bytes',
  },
  dropbear: {
    login: "Password auth succeeded for 'bob' from 203.0.113.77:40001",
    logout: 'Exit (bob) from <203.0.113.77:40001>: Disconnect received',
    failure: "Bad password attempt for 'bob' from 203.0.113.77:40001",
    near: "Exit before auth from <203.0.113.77:40001>: (user 'Password auth succeeded', 0 fails): x",
  },
  cockpit: {
    login: 'pam_unix(cockpit:session): session opened for user bob(uid=1000) by (uid=0)',
    logout: 'pam_unix(cockpit:session): session closed for user bob',
    near: 'pam_unix(cockpit:session): session opened for root',
  },
};

describe.each(SERVICES.map((service) => [service.name, service] as const))('%s', (name, service) => {
  const said = SAID[name];
  const logged = (message: string) => read(`Jan  1 00:00:01 h ${service.programs[0]}[5]: ${message}\n`);

  test('its login is found in a log', async () => {
    const [event, ...more] = await logged(said?.login ?? '');
    expect(more).toEqual([]);
    expect(event).toMatchObject({ kind: 'login', user: 'bob', service: name, pid: 5, writer: 'anyone' });
    if (name !== 'cockpit') expect(event).toMatchObject({ address: '203.0.113.77' });
  });

  test('its end', async () => {
    if (said?.logout === undefined) return;
    expect(await logged(said.logout)).toMatchObject([{ kind: 'logout', user: 'bob' }]);
  });

  test('its failure', () => {
    if (said?.failure === undefined) return;
    expect(service.read(said.failure)).toMatchObject({ kind: 'failure', user: 'bob', address: '203.0.113.77' });
  });

  test('something like it', async () => {
    expect((await logged(said?.near ?? '')).map(line)).toEqual([]);
  });

  test('each line worth reading has a needle', () => {
    for (const message of [said?.login, said?.logout].filter((each) => each !== undefined)) {
      expect(service.needles.some((needle) => message.includes(needle))).toBe(true);
    }
  });

  test('any length of what is hostile is read at once', () => {
    for (const part of [' from ', ', rip=', '(', "'", ' port 1', '[', ': ']) {
      const start = performance.now();
      for (const message of [said?.login, said?.failure]) service.read(`${message ?? ''}${part.repeat(10_000)}`);
      expect(performance.now() - start).toBeLessThan(200);
    }
  });
});

test('the log of vsftpd itself', async () => {
  const text = 'Thu Jan  1 12:20:33 2026 [pid 3] [bob] OK LOGIN: Client "::ffff:203.0.113.46"\n';
  expect((await read(text)).map(line)).toEqual(['login 2026-01-01T12:20:33 bob 203.0.113.46 3 vsftpd']);
});
