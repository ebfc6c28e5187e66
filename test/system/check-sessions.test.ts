import { afterAll, beforeAll, expect } from 'vitest';
import { HOME, LISTED, LoginHost } from './login-host.js';
import { until } from './processes.js';
import { describeSystem, systemTest, WITHOUT_RIGHTS } from './requirements.js';

const CONFIG =
  'sources: {custom: [{id: mine, file: list.txt}]}\nlogins: {expected: {countries: [de]}}\nallow: {files: []}\n';

interface Process {
  readonly pid: number;
  readonly program: string | null;
  readonly tty: string | null;
}

interface Session {
  readonly user: string;
  readonly address: string | null;
  readonly country: string | null;
  readonly tty: string | null;
  readonly service: string;
  readonly idleMs: number | null;
  readonly since: string;
  readonly audit: number | null;
  readonly monitor: Process;
  readonly records: readonly string[];
  readonly shownBy: string | null;
  readonly place: string;
  readonly isOwn: boolean;
  readonly processes: readonly Process[];
  readonly findings: readonly string[];
}

interface Finding {
  readonly code: string;
  readonly severity: string;
  readonly what: string;
  readonly fingerprint: string;
  readonly suggest: string;
  readonly note: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** What the JSON has of a session: to take one away breaks whoever reads it. */
const KEYS = [
  ...['address', 'audit', 'country', 'findings', 'idleMs', 'isOwn', 'leader', 'lists', 'logind', 'monitor', 'network'],
  ...['peer', 'place', 'port', 'processes', 'records', 'service', 'shownBy', 'since', 'tty', 'uid', 'user'],
];

/** Overwrites the row of a process with zeros, as log cleaners do it. */
const CLEAN = `const fs = require('fs');
const [file, pid] = process.argv.slice(1);
const bytes = fs.readFileSync(file);
for (let at = 0; at < bytes.length; at += 384) if (bytes.readInt32LE(at + 4) === Number(pid)) bytes.fill(0, at, at + 384);
fs.writeFileSync(file, bytes);`;

const NEEDS = ['root', 'netns', 'mountns', 'ip', 'ss', 'nsenter', 'sshd', 'ssh', 'rsyslogd', 'setsid', 'script', 'w'];
describeSystem('check sessions on a host with a real sshd', NEEDS, () => {
  let host: LoginHost;
  beforeAll(async () => {
    host = await LoginHost.start();
    await host.configure(CONFIG);
    await host.openNobody();
    expect((await host.blocklist('build', '--quiet')).status).toBe(0);
    await host.stay(HOME, { terminal: true, command: "script -qc 'sleep 300' /dev/null &" });
    await host.stay(HOME, { user: 'nobody', terminal: true });
    await host.stay(HOME);
  });
  afterAll(() => host.remove());

  async function check() {
    const { status, stdout } = await host.blocklist('check', 'sessions', '--json');
    return here(status, stdout);
  }
  /** Without the sessions of other tests, which are as in a container: they have the processes of this machine in common. */
  function here(status: number, stdout: string) {
    const { schema, version, complete, ...data } = JSON.parse(stdout);
    expect({ schema, version, complete }).toEqual({ schema: 'blocklist/check-sessions', version: 1, complete: true });
    const all = data.sessions as readonly Session[];
    const others = new Set(all.filter(({ place }) => place === 'elsewhere').map(({ monitor }) => monitor.pid));
    const findings = (data.findings as readonly Finding[]).filter(({ evidence }) => !others.has(Number(evidence.pid)));
    if (data.findings.length === findings.length) expect(status).toBe(findings.length === 0 ? 0 : 1);
    return { sessions: all.filter(({ place }) => place === 'here'), findings };
  }
  /** As a person pastes it who is root already. */
  const paste = ({ suggest }: Finding) => host.host.must(['sh', '-c', suggest.replace(/^sudo /, '')]);
  const codes = (findings: readonly Finding[]) => findings.map(({ code, severity }) => `${severity} ${code}`);

  systemTest('who is here: with a terminal and without one, and nothing is wrong with it', [], async () => {
    const { sessions, findings } = await check();
    expect(findings).toEqual([]);
    const told = sessions.map(({ user, address, country, tty, records, shownBy }) =>
      [user, address, country, tty !== null, records.join('+'), shownBy].join(' '),
    );
    expect(told.sort()).toEqual([
      `nobody ${HOME} de true utmp+proc utmp`,
      `root ${HOME} de false proc `,
      `root ${HOME} de true utmp+proc utmp`,
    ]);
    for (const session of sessions) {
      expect(session).toMatchObject({ service: 'sshd', isOwn: false, findings: [] });
      expect(session.audit).toBeGreaterThan(0);
      expect(session.processes.map(({ program }) => program)).toEqual(expect.arrayContaining(['sshd', 'sleep']));
      expect(session.idleMs === null).toBe(session.tty === null);
      expect(Date.now() - Date.parse(session.since)).toBeLessThan(60_000);
    }
    // What script(1) opened is a terminal, too, and no session.
    const [first] = sessions.filter(({ user, tty }) => user === 'root' && tty !== null);
    const ttys = first?.processes.flatMap(({ tty }) => tty ?? []);
    expect(first?.processes.map(({ program }) => program)).toContain('script');
    expect(new Set(ttys).size).toBe(2);
    expect(Object.keys(first ?? {}).sort()).toEqual(KEYS);
    expect(Object.keys(first?.monitor ?? {})).toEqual(['pid', 'ticks', 'start', 'name', 'program', 'uid', 'tty']);
  });

  systemTest('the table for people', [], async () => {
    const { stdout, stderr } = await host.blocklist('check', 'sessions');
    expect(stdout).toMatch(/^user +from +country +since +idle +tty +pid +by +w shows +logind$/m);
    expect(stdout).toMatch(
      new RegExp(
        `^nobody +${HOME.replaceAll('.', '\\.')} +de +\\d{4}-\\S+ \\S+ UTC +\\d+s +pts/\\d +\\d+ +sshd +yes$`,
        'm',
      ),
    );
    expect(stdout).toMatch(/ sshd +no$/m);
    expect(stderr).toMatch(/^sessions: \d+, not shown by w: \d+$/m);
  });

  systemTest('without the right to see what others run nothing is clean', [], async () => {
    const ran = await host.host.run([...WITHOUT_RIGHTS, ...host.line('check', 'sessions', '--json').split(' ')]);
    const { complete, findings } = JSON.parse(ran.stdout);
    expect(complete).toBe(false);
    expect(ran.status).toBe(codes(findings).includes('critical SESSION-LIVE-SUSPECT') ? 1 : 3);
    expect(codes(findings)).toContain('info SRC-INCOMPLETE');
  });

  systemTest('a session whose row in utmp was removed', [], async () => {
    const victim = (await check()).sessions.find(({ user }) => user === 'nobody');
    const pid = String(victim?.monitor.pid);
    expect(await host.host.must(['w', '-h'])).toContain('nobody');
    await host.host.must([process.execPath, '-e', CLEAN, '/run/utmp', pid]);
    expect(await host.host.must(['w', '-h'])).not.toContain('nobody');
    const removed = await check();
    expect(codes(removed.findings)).toEqual(['high SESSION-NO-RECORD']);
    expect(removed.findings[0]?.what).toMatch(
      / stands in wtmp, and not in utmp: its record was removed there, and w does not show it$/,
    );
    expect(removed.findings[0]).toMatchObject({ suggest: `sudo kill -TERM ${pid}`, evidence: { records: ['proc'] } });
    // And out of the history, too.
    await host.host.must([process.execPath, '-e', CLEAN, '/var/log/wtmp', pid]);
    const [finding] = (await check()).findings.filter(({ code }) => code === 'SESSION-NO-RECORD');
    expect(finding?.what).toMatch(/stands in no record/);
    expect(finding?.fingerprint).toBe(removed.findings[0]?.fingerprint);
    if (finding !== undefined) await paste(finding);
    await until('it has ended', async () => (await check()).findings.every(({ code }) => code !== 'SESSION-NO-RECORD'));
  });

  systemTest('somebody from a listed address, and what is left of him', [], async () => {
    await host.stay(LISTED, { terminal: true, command: 'setsid nohup sleep 400 > /dev/null 2>&1 &' });
    const before = await check();
    const [suspect] = before.findings.filter(({ code }) => code === 'SESSION-LIVE-SUSPECT');
    expect(suspect).toMatchObject({ severity: 'critical', evidence: { address: LISTED, country: 'cn' } });
    expect(suspect?.what).toContain('its address is listed by mine');
    expect(suspect?.note).toContain(`ban ${LISTED}`);
    const logins = await host.blocklist('check', 'logins', '--json');
    expect(logins.stdout).toMatch(/"code":"LOGIN-BLOCKED-ADDR","severity":"critical"/);
    if (suspect !== undefined) await paste(suspect);
    await until('it has ended', async () => (await check()).sessions.every(({ address }) => address !== LISTED));
    const after = await check();
    const [left] = after.findings.filter(({ code }) => code === 'SESSION-LEFTOVER');
    expect(left).toMatchObject({
      severity: 'medium',
      evidence: { user: 'root', address: LISTED, programs: ['sleep'] },
    });
    expect(codes(after.findings)).not.toContain('critical SESSION-LIVE-SUSPECT');
    if (left !== undefined) await paste(left);
    await until('it is gone', async () => (await check()).findings.every(({ code }) => code !== 'SESSION-LEFTOVER'));
    // The login is over: no more than a finding about what was.
    expect((await host.blocklist('check', 'logins', '--json')).stdout).toMatch(
      /"code":"LOGIN-BLOCKED-ADDR","severity":"high"/,
    );
  });

  systemTest('whoever asks is not told to end himself', [], async () => {
    const { status, stdout } = await host.come(LISTED, host.line('check', 'sessions', '--json'));
    const { sessions, findings } = here(status, stdout);
    expect(sessions.filter(({ isOwn }) => isOwn).map(({ address }) => address)).toEqual([LISTED]);
    const [finding] = findings.filter(({ code }) => code === 'SESSION-LIVE-SUSPECT');
    expect(finding?.suggest).toMatch(new RegExp(`why ${LISTED}( --config \\S+)?$`));
    expect(finding?.note).toMatch(/your own session/);
  });
});
