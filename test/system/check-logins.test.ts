import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect } from 'vitest';
import { ABROAD, HOME, LISTED, LoginHost } from './login-host.js';
import { until } from './processes.js';
import { CLI, describeSystem, systemTest } from './requirements.js';

const CONFIG =
  'sources: {custom: [{id: mine, file: list.txt}]}\nlogins: {expected: {countries: [de]}}\nallow: {files: []}\n';
const HOOK = fileURLToPath(new URL('../../examples/someone-is-in/on-login', import.meta.url));
const FORGED = 'Accepted password for root from 45.9.61.7 port 4 ssh2';

interface Line {
  readonly rule: { readonly id: string };
  readonly blocklist: {
    readonly finding: {
      code: string;
      severity: string;
      fingerprint: string;
      isNew: boolean;
      suggest: string;
      evidence: Record<string, unknown>;
    };
  };
  readonly user?: { readonly name: string };
  readonly source?: { readonly ip?: string; readonly geo?: { readonly country_iso_code: string } };
  readonly message: string;
}

const NEEDS = ['root', 'netns', 'mountns', 'overlay', 'ip', 'ss', 'nsenter', 'sshd', 'ssh', 'rsyslogd', 'logger'];
describeSystem('check logins on a host with a real sshd', NEEDS, () => {
  let host: LoginHost;
  beforeAll(async () => {
    host = await LoginHost.start();
    await host.configure(CONFIG);
    expect((await host.blocklist('build', '--quiet')).status).toBe(0);
    await host.login(HOME, { terminal: true });
    await host.login(HOME);
    await host.login(LISTED);
    await host.fail(ABROAD, 6);
    await host.login(ABROAD, { terminal: true });
    await until('all of it is written down', async () => (await log()).match(/session closed/g)?.length === 4);
  });
  afterAll(() => host.remove());

  const log = async () => (await host.host.run(['cat', '/var/log/auth.log'])).stdout;
  async function check(...options: readonly string[]) {
    const ran = await host.blocklist('check', 'logins', '--json', ...options);
    const [head = '{}', ...lines] = ran.stdout.trim().split('\n');
    return { ...ran, head: JSON.parse(head), findings: lines.map((line): Line => JSON.parse(line)) };
  }
  const codesOf = (findings: readonly Line[]) =>
    findings.map(({ blocklist: { finding }, source }) =>
      [finding.code, source?.ip, source?.geo?.country_iso_code].filter(Boolean).join(' '),
    );

  systemTest('who came in from a listed address, and from a country where nobody is expected', [], async () => {
    const { status, head, findings } = await check();
    expect(codesOf(findings).sort()).toEqual([
      `LOGIN-AFTER-FAILURES ${ABROAD} BR`,
      `LOGIN-BLOCKED-ADDR ${LISTED} CN`,
      `LOGIN-UNEXPECTED-COUNTRY ${LISTED} CN`,
      `LOGIN-UNEXPECTED-COUNTRY ${ABROAD} BR`,
    ]);
    expect(status).toBe(1);
    // The log and wtmp tell of the same logins.
    expect(head).toMatchObject({ complete: true, logins: 4 });
    const after = findings.find(({ rule }) => rule.id === 'LOGIN-AFTER-FAILURES')?.blocklist.finding.evidence;
    expect(after).toMatchObject({ failures: 6, records: [{ kind: 'wtmp' }, { kind: 'lastlog' }, { kind: 'log' }] });
  });

  systemTest('a second run with --new has nothing to tell, and one without tells the same', [], async () => {
    const again = await host.blocklist('check', 'logins', '--new');
    expect([again.status, again.stdout, again.stderr]).toEqual([0, '', '']);
    expect((await check()).findings).toHaveLength(4);
  });

  systemTest('what a person accepted is not told any more', [], async () => {
    const [first] = (await check()).findings.filter(({ source }) => source?.ip === ABROAD);
    const { fingerprint = '' } = first?.blocklist.finding ?? {};
    expect((await host.blocklist('accept', fingerprint, '--for', '7d')).status).toBe(2);
    expect((await host.blocklist('accept', fingerprint, '--for', '7d', '--reason', 'asked')).status).toBe(0);
    const { head, findings } = await check();
    expect(findings).toHaveLength(3);
    expect(head).toMatchObject({ accepted: 1 });
  });

  systemTest('a line that logger(1) wrote in the name of sshd', [], async () => {
    await host.host.must([
      'setpriv',
      '--reuid',
      '65534',
      '--clear-groups',
      'logger',
      '-p',
      'auth.info',
      '-t',
      'sshd',
      '-i',
      FORGED,
    ]);
    await until('it is in the log', async () => (await log()).includes(FORGED));
    const { findings } = await check('--new');
    expect(codesOf(findings)).toContain('LOG-FORGED 45.9.61.7 DE');
    expect(findings.find(({ rule }) => rule.id === 'LOG-FORGED')?.message).toContain(
      'any local user can write such a line',
    );
  });

  systemTest('a login that was cut out of wtmp, and a file that became shorter', [], async () => {
    await host.host.must(['sh', '-c', 'head -c 768 /var/log/wtmp > /run/w && cat /run/w > /var/log/wtmp']);
    const { status, findings } = await check('--new');
    expect(status).toBe(1);
    expect(codesOf(findings).sort()).toEqual([`WTMP-MISSING-LOGIN ${ABROAD}`, 'WTMP-SHRUNK']);
    // The file does not show it any more; the finding stands.
    expect(codesOf((await check()).findings)).toContain('WTMP-SHRUNK');
  });

  systemTest('zeros in its place, a link to nowhere, an emptied history', [], async () => {
    await host.host.must(['sh', '-c', 'head -c 384 /dev/zero >> /var/log/wtmp']);
    await host.login(HOME, { terminal: true });
    expect(codesOf((await check('--new')).findings)).toContain('WTMP-ZEROED');
    await host.host.must(['sh', '-c', 'mv /var/log/btmp /var/log/btmp.x && ln -s /dev/null /var/log/btmp']);
    const { findings, head } = await check('--new');
    expect(codesOf(findings)).toContain('WTMP-SYMLINK');
    expect(head).toMatchObject({ complete: false });
  });

  systemTest('a mail, once, by the program that this host has for it', [], async () => {
    await host.install('sendmail', '#!/bin/sh\n{ echo "$@"; cat; } >> /run/mail\n', '/usr/sbin');
    await host.configure(`${CONFIG}notify: {mail: [root, noc@example.org]}\n`);
    // The shell of nobody lets nobody stay; the login is one all the same.
    await host.login(ABROAD, { key: 'other', user: 'nobody' }).catch(() => undefined);
    await until('it is in the log', async () => (await log()).includes('Accepted publickey for nobody'));
    expect((await host.blocklist('check', 'logins', '--new', '--notify')).status).toBe(1);
    expect((await host.blocklist('check', 'logins', '--new', '--notify')).stdout).toBe('');
    const mail = (await host.host.run(['cat', '/run/mail'])).stdout;
    expect(
      mail.match(/^-i -- root noc@example\.org\nTo: root, noc@example\.org\nSubject: blocklist on /gm),
    ).toHaveLength(1);
    expect(mail).toContain('LOGIN-UNEXPECTED-COUNTRY: never seen there: nobody is expected from de');
  });

  // The last one: from now on each login starts a review of its own.
  systemTest('the hook of pam: who comes in is judged at once, and told', [], async () => {
    const { folder } = host;
    const listen = `require('http').createServer((q, r) => { q.on('data', (d) => process.stdout.write(d)); q.on('end', () => r.end()); }).listen(8099, '127.0.0.1')`;
    const server = host.host.start([process.execPath, '-e', listen]);
    await writeFile(join(folder, 'hook'), 'http://127.0.0.1:8099/SECRET\n', { mode: 0o600 });
    await host.configure(`${CONFIG}notify: {webhook-file: hook}\n`);
    await host.install('blocklist-on-login', await readFile(HOOK, 'utf8'));
    await host.install(
      'blocklist',
      `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@" --config '${folder}/blocklist.yaml'\n`,
    );
    await until(
      'somebody is told',
      async () => {
        if (server.output() === '') await host.login(LISTED, { key: 'other', user: 'nobody' }).catch(() => undefined);
        return server.output().includes('nobody from 1.0.1.5');
      },
      30_000,
    );
    expect(JSON.parse(server.output()).text).toMatch(/^blocklist on \S+: .*new finding/);
    expect(server.output()).not.toContain('SECRET');
  });
});
