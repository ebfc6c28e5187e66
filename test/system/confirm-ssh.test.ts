import { readdirSync, readFileSync } from 'node:fs';
import { cp, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { connect, Namespace } from './namespace.js';
import { until } from './processes.js';
import { Project } from './project.js';
import { CLI, describeSystem, systemTest } from './requirements.js';
import { SshServer } from './ssh-server.js';
import { ours, runs, watchers } from './waiting.js';

const OLD = [{ id: 'mine', lines: ['45.9.20.7', '91.200.0.0/22', '2a02:4780::/32'] }];
const NEW = [{ id: 'mine', lines: ['45.9.20.8', '91.200.4.0/22', '2a02:4781::/32'] }];

interface Member {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

function members(): Member[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const [, parent, group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return [{ pid: Number(name), parent: Number(parent), group: Number(group), session: Number(session) }];
      } catch {
        return [];
      }
    });
}

/** The SSH session of this process dies as hard as it can: everything in its group and session, and the servers of that session. */
function killSession(pid: number): void {
  const all = members();
  const self = all.find((each) => each.pid === pid);
  if (self === undefined) throw new Error(`process ${pid} has ended`);
  const doomed = all.filter(({ group, session }) => group === self.group || session === self.session);
  const parent = all.find((each) => each.pid === self.parent);
  for (const each of [...doomed, ...(parent === undefined ? [] : [parent])]) {
    try {
      process.kill(each.pid, 'SIGKILL');
    } catch {
      // Died with the one before.
    }
  }
}

const NEEDS = ['root', 'netns', 'mountns', 'nft', 'ip', 'ss', 'sshd', 'ssh', 'tail', 'timeout'];
describeSystem('apply --confirm through ssh, and the session is killed', NEEDS, () => {
  let host: Namespace;
  let client: Namespace;
  let server: SshServer;
  let project: Project;
  beforeAll(async () => {
    [host, client] = [await Namespace.create(), await Namespace.create()];
    await connect(host, client);
    await host.ip('addr add 10.77.0.1/24 dev wire');
    await client.ip('addr add 10.77.0.2/24 dev wire');
    server = await SshServer.start(host, 2222);
  });
  afterAll(async () => {
    await host.remove();
    await client.remove();
    await server.remove();
  });
  beforeEach(async () => {
    project = await Project.create(OLD);
    await project.done(undefined, 'build');
  });
  afterEach(async () => {
    for (const pid of watchers(project)) process.kill(pid, 'SIGKILL');
    await host.run(['nft', 'delete', 'table', 'inet', 'blocklist']);
    await project.remove();
  });

  /** Loads in a session that stays open behind it, and kills that. */
  async function applyAndDie(options: readonly string[], program: string = CLI): Promise<void> {
    const line = project.argv('apply', '--confirm', '3s').join(' ').replace(CLI, program);
    const command = `echo pid $$; ${line}; echo over $?; sleep 60`;
    const session = client.start(server.argv('root', '10.77.0.1', command, options));
    await until('it is loaded', () => /over \d/.test(session.output()));
    expect(session.output()).toContain('over 0');
    const loaded = await ours(host);
    expect(loaded).toContain('blocklist layout');
    const pid = Number(/pid (\d+)/.exec(session.output())?.[1]);
    killSession(pid);
    await until('the session is dead', () => !runs(pid));
    await session.stop();
    expect(await ours(host)).toBe(loaded);
  }

  async function isBack(before: string): Promise<void> {
    await until('it went back', async () => (await ours(host)) === before, 8_000);
  }

  for (const [how, options] of [
    ['without a terminal', []],
    ['with a terminal', ['-tt']],
  ] as const) {
    systemTest(`no table before, ${how}`, [], async () => {
      await applyAndDie(options);
      await isBack('');
    });

    systemTest(`an earlier artefact before, ${how}`, [], async () => {
      await project.done(host, 'apply');
      const before = await ours(host);
      await project.configure(NEW);
      await project.done(undefined, 'build');
      await applyAndDie(options);
      await isBack(before);
    });
  }

  systemTest('a table that was altered before, and the program is gone by then', [], async () => {
    await project.done(host, 'apply');
    await host.nft('insert rule inet blocklist early ip saddr 10.77.0.9 accept');
    const before = await ours(host);
    const program = project.path('program');
    const checkout = dirname(dirname(CLI));
    await cp(dirname(CLI), join(program, 'dist'), { recursive: true });
    for (const name of ['node_modules', 'package.json', 'lists'])
      await symlink(join(checkout, name), join(program, name));
    await applyAndDie([], join(program, 'dist', 'cli.cjs'));
    await rm(program, { recursive: true });
    await isBack(before);
  });
});
