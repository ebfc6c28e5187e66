import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { Namespace } from './namespace.js';
import { must, run } from './processes.js';
import { Project } from './project.js';
import { CLI, describeSystem, systemTest } from './requirements.js';

const NOBODY = 65_534;
const COMMANDS: ReadonlyArray<readonly [command: readonly string[], status: number]> = [
  [['apply'], 5],
  [['apply', '--dry-run'], 5],
  [['apply', '--repair'], 5],
  [['apply', '--confirm', '5s'], 5],
  [['confirm'], 5],
  [['rollback'], 5],
  [['rollback', '--dry-run'], 5],
  [['unload', '--yes'], 5],
  [['unload', '--dry-run'], 5],
  [['status'], 5],
  [['status', '--fast'], 5],
  [['ban', '203.0.112.9'], 5],
  [['unban', '203.0.112.9'], 5],
  [['allow', '203.0.112.9'], 5],
  [['allow', '203.0.112.9', '--remove'], 5],
  [['lockdown', '--allow', '203.0.112.9', '--yes'], 5],
  [['lockdown', '--allow', '203.0.112.9', '--dry-run'], 5],
  [['lockdown', 'off', '--yes'], 5],
  [['ban', 'garbage'], 2],
];

describeSystem('a plain user', ['root', 'netns', 'nft', 'ip', 'setpriv'], () => {
  let host: Namespace;
  let project: Project;
  let program: string;
  let home: string;
  beforeAll(async () => {
    host = await Namespace.create();
    project = await Project.create([{ id: 'mine', lines: ['45.9.20.7', '91.200.0.0/22'] }]);
    await project.done(undefined, 'build');
    await project.done(host, 'apply');
    await project.done(host, 'apply', '--repair');
    // The checkout may be in root's home, where nobody else can read.
    program = await mkdtemp(join(tmpdir(), 'blocklist-program-'));
    home = await mkdtemp(join(tmpdir(), 'blocklist-home-'));
    const checkout = dirname(dirname(CLI));
    for (const name of ['dist', 'lists', 'package.json']) await must(['cp', '-r', join(checkout, name), program]);
    // What explains a mistyped address is no part of the bundle.
    await must(['mkdir', join(program, 'node_modules')]);
    await must(['cp', '-r', join(checkout, 'node_modules', 'ipaddr.js'), join(program, 'node_modules')]);
    await must(['chmod', '-R', 'a+rX', program]);
    await must(['chown', String(NOBODY), home]);
  }, 120_000);
  afterAll(async () => {
    await host.remove();
    await project.remove();
    for (const folder of [program, home]) await rm(folder, { recursive: true, force: true });
  });

  function asNobody(node: string, command: readonly string[], rights: readonly string[] = []) {
    const user = ['setpriv', '--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups', ...rights];
    return host.run([...user, 'env', `HOME=${home}`, node, join(program, 'dist', 'cli.cjs'), ...command], {
      cwd: home,
    });
  }

  async function everything(): Promise<string> {
    const files = await must(['find', project.folder, '-printf', '%p %u %m %s %T@\n']);
    return `${await host.ruleset()}\n${files}\n${(await readdir(home, { recursive: true })).join('\n')}`;
  }

  systemTest(
    'has no right to change or see the firewall, and leaves nothing behind',
    [],
    async () => {
      const node = await readableNode();
      const before = await everything();
      for (const [command, status] of COMMANDS) {
        const ran = await asNobody(node, [...command, '--config', project.config, '--json']);
        const code = ran.status === 0 ? 'none' : JSON.parse(ran.stderr).error.code;
        const expected = { command, status, code: status === 5 ? 'no-permission' : 'bad-usage' };
        expect({ command, status: ran.status, code }).toEqual(expected);
        expect(await everything(), command.join(' ')).toBe(before);
      }
      // Without --config the folders of the user himself would be used.
      for (const command of [['confirm'], ['unload', '--yes']]) {
        const ran = await asNobody(node, [...command, '--json']);
        expect([ran.status, JSON.parse(ran.stderr).error.code]).toEqual([5, 'no-permission']);
      }
      expect(await everything()).toBe(before);
    },
    240_000,
  );

  systemTest(
    'with the right to change the firewall alone it unloads: what it cannot see of firewalld is told, and keeps nothing there',
    ['firewall-cmd'],
    async () => {
      const right = ['--inh-caps', '+net_admin', '--ambient-caps', '+net_admin'];
      const command = ['unload', '--config', project.config];
      const node = await readableNode();
      const dry = await asNobody(node, [...command, '--dry-run'], right);
      expect([dry.status, dry.stderr]).toEqual([
        3,
        expect.stringMatching(/^would delete table inet blocklist: .*\n[\s\S]*^but: .*\/etc\/firewalld\//m),
      ]);
      const { status, stderr } = await asNobody(node, [...command, '--yes'], right);
      expect([status, stderr]).toEqual([
        3,
        expect.stringMatching(/^removed table inet blocklist$[\s\S]*^but: .*\/etc\/firewalld\//m),
      ]);
      expect(await host.ruleset()).toBe('');
    },
  );

  /** A node that this user may run. */
  async function readableNode(): Promise<string> {
    const copy = join(program, 'node');
    await must(['cp', process.execPath, copy]);
    await must(['chmod', '755', copy]);
    expect((await run([copy, '--version'])).status).toBe(0);
    return copy;
  }
});
