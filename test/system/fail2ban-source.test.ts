import { chmod, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { copyProgram } from '../../src/setup/fail2ban.js';
import { writeFail2ban } from '../sources/fail2ban-database.js';
import { Fail2ban, type Jails } from './fail2ban-server.js';
import { Namespace } from './namespace.js';
import { type Background, must, type Ran, run, start, until } from './processes.js';
import { Project } from './project.js';
import { describeSystem, READABLE, READABLE_CLI, systemTest } from './requirements.js';

const PYTHON = '/usr/bin/python3';
const now = () => Math.floor(Date.now() / 1000);

/** A project with one list and the fail2ban whose database is in its folder. */
async function make(settings = ''): Promise<Project> {
  const project = await Project.create([{ id: 'mine', lines: ['45.9.20.1'] }]);
  const config = await readFile(project.config, 'utf8');
  const source = `  fail2ban: {database: fail2ban/fail2ban.sqlite3${settings}}\n`;
  await writeFile(project.config, config.replace('sources:\n', `sources:\n${source}`));
  await must(['mkdir', project.path('fail2ban')]);
  return project;
}

const nodes = async (project: Project) =>
  (await readFile(project.path('rules', 'nodes4.txt'), 'utf8')).trim().split('\n').sort();

describeSystem('fail2ban as a source', ['root', 'netns', 'fail2ban-server', 'fail2ban-client'], () => {
  let host: Namespace;
  let project: Project;
  let server: Fail2ban | undefined;

  beforeEach(async () => {
    host = await Namespace.create();
  });
  afterEach(async () => {
    await server?.down();
    server = undefined;
    await host.remove();
    await project.remove();
  });

  async function serve(settings: string, jails: Jails, dbfile?: string): Promise<Fail2ban> {
    project = await make(settings);
    server = await Fail2ban.start(host, project.path('fail2ban'), jails, dbfile === undefined ? {} : { dbfile });
    return server;
  }

  /** fail2ban writes a ban into its database when it has time. */
  const updated = (what: string, expected: readonly string[]) =>
    until(what, async () => {
      await project.done(host, 'update');
      return (await nodes(project)).join() === [...expected].sort().join();
    });

  systemTest('a ban is in the rules after the update, and not after it is taken back', [], async () => {
    const fail2ban = await serve('', { sshd: [], mail: ['bantime = -1'] });
    await fail2ban.done('set', 'sshd', 'banip', '45.9.61.1', '2a02:4780::61');
    await fail2ban.done('set', 'mail', 'banip', '45.9.61.2');
    await updated('both', ['45.9.20.1', '45.9.61.1', '45.9.61.2']);
    expect(await readFile(project.path('rules', 'nodes6.txt'), 'utf8')).toBe('2a02:4780::61\n');
    await project.done(host, 'apply');
    expect(await host.must(['nft', 'list', 'set', 'inet', 'blocklist', 'nodes4'])).toContain('45.9.61.2');
    await fail2ban.done('set', 'sshd', 'unbanip', '45.9.61.1');
    await updated('one less', ['45.9.20.1', '45.9.61.2']);
  });

  systemTest('a ban of two seconds is gone at the next build, other jails are not looked at', [], async () => {
    const fail2ban = await serve(', jails: [sshd]', { sshd: ['bantime = 4'], mail: [] });
    await fail2ban.done('set', 'mail', 'banip', '45.9.61.2');
    await fail2ban.done('set', 'sshd', 'banip', '45.9.61.1');
    await updated('the ban', ['45.9.20.1', '45.9.61.1']);
    await until('its end', async () => {
      await project.done(host, 'build');
      return (await nodes(project)).join() === '45.9.20.1';
    });
  });

  systemTest('a server without a database is asked itself', [], async () => {
    const fail2ban = await serve(', socket: fail2ban/socket', { sshd: [], mail: ['bantime = -1'] }, 'None');
    await fail2ban.done('set', 'sshd', 'banip', '45.9.61.1');
    await fail2ban.done('set', 'mail', 'banip', '45.9.61.2', '2a02:4780::61');
    await updated('both', ['45.9.20.1', '45.9.61.1', '45.9.61.2']);
    const kept = (await readFile(project.path('cache', 'bans', 'fail2ban.jsonl'), 'utf8')).split('\n').slice(2, -1);
    const ends = kept
      .map((line) => JSON.parse(line))
      .map(({ address, since, until: end, by }) => {
        return [address, by, end && Math.round((Date.parse(end) - Date.parse(since)) / 1000)];
      });
    expect(ends.sort()).toEqual([
      ['2a02:4780::61', 'fail2ban mail', undefined],
      ['45.9.61.1', 'fail2ban sshd', 3600],
      ['45.9.61.2', 'fail2ban mail', undefined],
    ]);
    await fail2ban.done('set', 'sshd', 'unbanip', '45.9.61.1');
    await updated('one less', ['45.9.20.1', '45.9.61.2']);
    // Without server and database it is not known who is banned: the last ones serve.
    await fail2ban.down();
    const ran = await project.blocklist(host, 'update');
    expect(ran.stderr).toContain('fail2ban: there is no database of fail2ban');
    expect(ran.status).toBe(3);
    expect(await nodes(project)).toEqual(['45.9.20.1', '45.9.61.2']);
  });
});

describeSystem('a database of fail2ban that cannot be read', ['root', 'python3'], () => {
  let project: Project;
  let writer: Background | undefined;

  beforeEach(async () => {
    project = await make();
    await writeFail2ban(database(), [{ ip: '45.9.61.1', at: now() }]);
    await project.done(undefined, 'update');
  });
  afterEach(async () => {
    await writer?.stop();
    writer = undefined;
    await project.remove();
  });
  const database = () => project.path('fail2ban', 'fail2ban.sqlite3');

  /** Statements on the database by a program that then keeps it open. */
  async function write(...lines: readonly string[]): Promise<void> {
    const code = [
      'import sqlite3, sys, time',
      'c = sqlite3.connect(sys.argv[1], isolation_level=None)',
      ...lines.map((line) => `c.execute(${JSON.stringify(line)})`),
      'print("ready", flush=True)',
      'time.sleep(100)',
    ].join('\n');
    const started = start([PYTHON, '-I', '-c', code, database()]);
    writer = started;
    await until('the writer is there', () => started.output().includes('ready'));
  }
  const INSERT = `INSERT INTO bips VALUES('45.9.61.2', 'sshd', ${now()}, 3600, 1, '{}')`;

  /** The update serves the last bans, says why, and ends with 3. */
  async function keepsLastGood(words: string | RegExp): Promise<Ran> {
    const ran = await project.blocklist(undefined, 'update');
    expect(ran.stderr).toMatch(words);
    expect(ran.stderr).toContain('last good');
    expect(ran.status).toBe(3);
    expect(await nodes(project)).toEqual(['45.9.20.1', '45.9.61.1']);
    return ran;
  }

  systemTest(
    'a write-ahead log with content: the new ban in it is not passed over as if it were none',
    [],
    async () => {
      await write('PRAGMA journal_mode=WAL', INSERT);
      expect((await stat(`${database()}-wal`)).size).toBeGreaterThan(0);
      await keepsLastGood('write-ahead log');
      await writer?.stop();
      // Whoever opens it next takes the log in.
      await must([
        PYTHON,
        '-I',
        '-c',
        'import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute("SELECT * FROM bips").fetchall(); c.close()',
        database(),
      ]);
      await project.done(undefined, 'update');
      expect(await nodes(project)).toEqual(['45.9.20.1', '45.9.61.1', '45.9.61.2']);
    },
  );

  systemTest('a writer that holds it', [], async () => {
    await write('PRAGMA journal_mode=MEMORY', 'BEGIN EXCLUSIVE', INSERT);
    await keepsLastGood('a writer holds it locked');
  });

  systemTest('a reader beside a writer that has not written yet', [], async () => {
    await write('PRAGMA journal_mode=MEMORY', 'BEGIN IMMEDIATE', INSERT);
    await project.done(undefined, 'update');
  });

  systemTest('a journal that a crash left', [], async () => {
    await writeFile(`${database()}-journal`, Buffer.from('d9d505f920a163d7', 'hex'));
    await keepsLastGood('journal');
  });

  systemTest('a journal that is over (PERSIST)', [], async () => {
    await writeFile(`${database()}-journal`, Buffer.alloc(512));
    await project.done(undefined, 'update');
  });

  systemTest('cut off, emptied, replaced by something else, newer', [], async () => {
    const good = await readFile(database());
    await truncate(database(), good.length / 2);
    await keepsLastGood('cannot be read');
    await truncate(database(), 0);
    await keepsLastGood('empty');
    await writeFile(database(), '<html>');
    await keepsLastGood('no SQLite database');
    await writeFail2ban(database(), [{ ip: '45.9.61.9', at: now() }], 5);
    await keepsLastGood('version 5');
    await must(['rm', database()]);
    await keepsLastGood('no database of fail2ban');
    await writeFile(database(), good);
    await project.done(undefined, 'update');
  });

  systemTest(
    'what a server tells beside the database is counted once, and what it does not tell is said',
    ['mountns', 'fail2ban-client'],
    async () => {
      const ids = Array.from({ length: 30 }, (_, i) => (i === 0 ? 'root' : `45.9.61.${2 * i}`));
      await writeFail2ban(
        database(),
        ids.map((ip) => ({ ip, at: now() - 5 })),
      );
      const config = await readFile(project.config, 'utf8');
      const told = `[{'sshd': [${['45.9.62.1', ...ids].map((id) => `'${id}'`).join(', ')}]}]`;
      const times = ['45.9.62.1', ...ids].map((id) => `${id} \t2026-11-24 02:00:00 + -1 = 9999-12-31 23:59:59`);
      await project.write('times', `${times.join('\n')}\n`);
      const server = (banned: string) =>
        writeFile(
          project.path('client'),
          `#!/bin/sh\ncase "$3" in banned) ${banned};; get) cat ${project.path('times')};; esac\n`,
          { mode: 0o755 },
        );
      const mounted = [
        'set -e; mount --bind "$0" /usr/bin/fail2ban-client; mount -t tmpfs none /run',
        'mkdir /run/fail2ban; : > /run/fail2ban/fail2ban.sock; exec "$@"',
      ].join('; ');
      const asked = (...command: string[]) =>
        run(['unshare', '-m', 'sh', '-c', mounted, project.path('client'), ...project.argv(...command)]);
      await server(`echo "${told}"`);
      // The usual socket is of another server than a database that is named.
      expect(await asked('build')).toMatchObject({ status: 0 });
      expect(await nodes(project)).toHaveLength(1 + 29);
      await writeFile(project.config, config.replace('.sqlite3}', '.sqlite3, socket: socket}'));
      await project.write('socket', '');
      // One of 31 is no address: of two in 32 the source would be refused.
      expect(await asked('build')).toMatchObject({ status: 0 });
      expect(await nodes(project)).toHaveLength(2 + 29);
      await server('exit 1');
      const ran = await asked('bans');
      expect(ran.stderr).toContain('some bans may be missing: fail2ban-client banned');
      expect([ran.status, ran.stdout.trim().split('\n').length]).toEqual([3, 1 + 29]);
    },
  );

  systemTest('never read at all: nothing to use, and no success', [], async () => {
    await must(['rm', '-r', project.path('cache'), project.path('state'), project.path('rules')]);
    await writeFile(database(), '');
    const ran = await project.blocklist(undefined, 'update');
    expect(ran.stderr).toContain('nothing to use');
    expect(ran.status).toBe(3);
  });
});

describeSystem('the copy of the database for the update', ['root', 'mountns', 'python3', 'setpriv'], () => {
  let project: Project;
  beforeEach(async () => {
    project = await make();
  });
  afterEach(() => project.remove());

  const copying = (source: string) =>
    run([PYTHON, '-I', '-c', copyProgram({ source, folder: project.path('copy'), group: 'nogroup' })]);
  const copy = () => project.path('copy', 'fail2ban.sqlite3');

  systemTest('holds the bans and no line of a log, and is for one group alone', [], async () => {
    const source = project.path('fail2ban', 'fail2ban.sqlite3');
    await writeFail2ban(source, [{ ip: '45.9.61.1', at: now() }]);
    await chmod(source, 0o600);
    expect(await copying(source)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect((await readFile(source)).includes('secret')).toBe(true);
    expect((await readFile(copy())).includes('secret')).toBe(false);
    const facts = [await stat(project.path('copy')), await stat(copy())];
    expect(facts.map(({ mode, uid, gid }) => [mode & 0o777, uid, gid])).toEqual([
      [0o750, 0, 65_534],
      [0o640, 0, 65_534],
    ]);
  });

  systemTest('takes in a write-ahead log', [], async () => {
    const source = project.path('fail2ban', 'fail2ban.sqlite3');
    await writeFail2ban(source, []);
    const code = [
      'import sqlite3, sys, time',
      'c = sqlite3.connect(sys.argv[1], isolation_level=None)',
      'c.execute("PRAGMA journal_mode=WAL")',
      `c.execute("INSERT INTO bips VALUES('45.9.61.2', 'sshd', ${now()}, 3600, 1, '{}')")`,
      'print("ready", flush=True)',
      'time.sleep(100)',
    ].join('\n');
    const writer = start([PYTHON, '-I', '-c', code, source]);
    try {
      await until('the writer is there', () => writer.output().includes('ready'));
      expect(await copying(source)).toEqual({ status: 0, stdout: '', stderr: '' });
    } finally {
      await writer.stop();
    }
    expect((await readFile(copy())).includes('45.9.61.2')).toBe(true);
  });

  systemTest('what cannot be copied leaves no copy, and no fail2ban is no error', [], async () => {
    const source = project.path('fail2ban', 'fail2ban.sqlite3');
    await writeFail2ban(source, []);
    await copying(source);
    await writeFile(source, 'x'.repeat(9000));
    expect((await copying(source)).status).toBe(1);
    await expect(stat(copy())).rejects.toThrow('ENOENT');
    await must(['rm', source]);
    expect(await copying(source)).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  systemTest('the service user reads it where it may not read the original', [], async () => {
    const source = project.path('fail2ban', 'fail2ban.sqlite3');
    await writeFail2ban(source, [{ ip: '45.9.61.1', at: now() }]);
    await chmod(source, 0o600);
    await copying(source);
    await writeFile(
      project.config,
      'sources: {fail2ban: true}\npaths: {rules: out/rules, cache: out/cache, state: out/state}\n',
    );
    await must(['install', '-d', '-o', '65534', project.path('out')]);
    // The usual places, in mounts of this command alone.
    const places = [
      'set -e; mount -t tmpfs none /var/lib',
      'mkdir -p /var/lib/fail2ban /var/lib/blocklist/fail2ban',
      `cp -a ${source} /var/lib/fail2ban/; cp -a ${project.path('copy')}/. /var/lib/blocklist/fail2ban/`,
      'exec "$@"',
    ].join('; ');
    const user = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
    const update = [process.execPath, READABLE_CLI, 'update', '--config', project.config];
    const asUser = (...before: string[]) =>
      run(['unshare', '-m', 'sh', '-c', [...before, places].join('; '), 'sh', ...READABLE, ...user, ...update]);
    expect(await asUser()).toMatchObject({ status: 0 });
    expect(await nodes({ path: (...parts: string[]) => project.path('out', ...parts) } as Project)).toEqual([
      '45.9.61.1',
    ]);
    await must(['rm', copy()]);
    const without = await asUser();
    expect(without.stderr).toContain('only root may read the database of fail2ban, and there is no copy of it');
    expect(without.status).toBe(3);
  });
});
