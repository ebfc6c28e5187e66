import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { readArtefact } from '../../src/apply/artefact-store.js';
import { removeBootCopy, writeBootCopy } from '../../src/apply/boot-copy.js';
import { PLACE } from '../../src/setup/layout.js';
import { blocklist } from '../commands/cli.js';
import { tempFolder } from '../io/temp.js';
import { Namespace } from './namespace.js';
import { run } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

/** The tree of an image with everything that install writes, and a program that is there. */
async function installed(): Promise<string> {
  const root = await tempFolder();
  const ran = await blocklist(['install', '--root', root, '--program', '/usr/bin/true', '--yes']);
  expect(ran.status).toBe(0);
  return root;
}
const unitIn = (root: string, name: string) => join(root, PLACE.units, name);
const NAMES = [
  'blocklist-update.service',
  'blocklist-apply.service',
  'blocklist-boot.service',
  'blocklist-failed@.service',
  'blocklist.timer',
  'blocklist-apply.timer',
  'blocklist-stats.service',
  'blocklist-stats.timer',
];

systemTest('systemd finds nothing to remark in any unit', ['systemd-analyze'], async () => {
  const root = await installed();
  const ran = await run(['systemd-analyze', 'verify', '--man=no', ...NAMES.map((name) => unitIn(root, name))]);
  expect(ran).toEqual({ status: 0, stdout: '', stderr: '' });
});

systemTest('a misspelt key would be remarked', ['systemd-analyze'], async () => {
  const root = await installed();
  const path = unitIn(root, NAMES[0] ?? '');
  await writeFile(path, (await readFile(path, 'utf8')).replace('OnSuccess=', 'OnSucces='));
  expect((await run(['systemd-analyze', 'verify', '--man=no', path])).stderr).toContain('OnSucces');
});

systemTest('exposure stays low (systemd-analyze security)', ['systemd-analyze'], async () => {
  const root = await installed();
  for (const name of ['blocklist-update', 'blocklist-apply', 'blocklist-stats', 'blocklist-boot']) {
    const unit = unitIn(root, `${name}.service`);
    const ran = await run(['systemd-analyze', 'security', '--offline=true', '--threshold=25', '--no-pager', unit]);
    expect({ name, status: ran.status }).toEqual({ name, status: 0 });
  }
});

systemTest('sysusers.d: the user is made as written', ['root', 'systemd-sysusers'], async () => {
  const root = await installed();
  const ran = await run(['systemd-sysusers', `--root=${root}`, 'blocklist.conf']);
  expect(ran.status).toBe(0);
  expect(await readFile(join(root, 'etc/passwd'), 'utf8')).toMatch(
    /^blocklist:x:\d+:\d+:firewall blocklist:\/var\/lib\/blocklist\/update:\/usr\/sbin\/nologin$/m,
  );
});

describeSystem('the command lines of the boot unit, run by hand', ['root', 'netns', 'nft'], () => {
  const LOCAL = Buffer.from(
    'add table inet blocklist\nadd set inet blocklist allow4 { type ipv4_addr; flags interval,timeout; }\n',
  );

  /** A boot copy of a real artefact, and its network namespace. */
  async function host() {
    const root = await installed();
    const [project, space] = [
      await Project.create([{ id: 'offenders', lines: ['45.9.0.1', '45.9.1.0/24'] }]),
      await Namespace.create(),
    ];
    onTestFinished(async () => {
      await space.remove();
      await project.remove();
    });
    await project.done(undefined, 'build');
    const state = join(root, PLACE.state);
    await writeBootCopy(state, 'local', LOCAL);
    await writeBootCopy(state, 'rules', (await readArtefact(project.rules)).script);
    const unit = (await readFile(unitIn(root, 'blocklist-boot.service'), 'utf8')).replaceAll(PLACE.state, state);
    const lines = (key: string) =>
      [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, line = '']) => line.replaceAll('"', '').split(' '));
    /** As systemd does: one after the other, until one fails. Environment: hardly any, as there. */
    const runAll = async (...keys: readonly string[]) => {
      for (const argv of keys.flatMap(lines)) {
        const ran = await space.run(argv, { cwd: '/' });
        if (ran.status !== 0) return { failed: argv, ...ran };
      }
      return 'done';
    };
    return { state, space, runAll };
  }

  systemTest('loads the copy, and again over itself', ['root'], async () => {
    const { space, runAll } = await host();
    expect(await runAll('ExecStartPre', 'ExecStart')).toBe('done');
    const loaded = await space.must(['nft', 'list', 'table', 'inet', 'blocklist']);
    expect(loaded).toContain('45.9.0.1');
    expect(loaded).toContain('set allow4');
    expect(await runAll('ExecStartPre', 'ExecStart')).toBe('done');
  });

  systemTest('reload mends a flush ruleset, as that of nftables.service', ['root'], async () => {
    const { space, runAll } = await host();
    await runAll('ExecStartPre', 'ExecStart');
    await space.nft('flush ruleset\n');
    expect(await runAll('ExecReload')).toBe('done');
    expect(await space.ruleset()).toContain('45.9.0.1');
  });

  systemTest('reload keeps what was unloaded by hand unloaded', ['root'], async () => {
    const { state, space, runAll } = await host();
    await writeFile(join(state, 'unloaded'), '');
    expect(await runAll('ExecReload')).toMatchObject({
      status: 1,
      failed: ['/usr/bin/test', '!', '-e', expect.any(String)],
    });
    expect(await space.ruleset()).toBe('');
  });

  for (const part of ['local', 'rules'] as const) {
    systemTest(`one flipped bit in ${part}: nothing is loaded, and the file is named`, ['root'], async () => {
      const { state, space, runAll } = await host();
      const path = join(state, 'boot', part, 'blocklist.nft');
      const bytes = await readFile(path);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      await writeFile(path, bytes);
      const ran = await runAll('ExecStartPre', 'ExecStart');
      expect(ran).toMatchObject({ status: 1, stdout: expect.stringContaining('blocklist.nft: FAILED') });
      expect(await space.ruleset()).toBe('');
    });
  }

  systemTest('a copy without digest, or an empty one, is not loaded', ['root'], async () => {
    const { state, space, runAll } = await host();
    await truncate(join(state, 'boot/rules/SHA256SUMS'));
    expect(await runAll('ExecStartPre', 'ExecStart')).toMatchObject({ status: 1 });
    expect(await space.ruleset()).toBe('');
  });

  systemTest(
    'the include lines load it behind a flush ruleset, and are harmless without a copy',
    ['root'],
    async () => {
      const { state, space } = await host();
      const { stderr } = await blocklist([
        'install',
        '--cron',
        '--root',
        await tempFolder(),
        '--program',
        '/x',
        '--yes',
      ]);
      const includes = (stderr.match(/^include .*$/gm) ?? []).map((line) => line.replace(PLACE.state, state));
      expect(includes).toHaveLength(2);
      const folder = await tempFolder();
      const conf = join(folder, 'nftables.conf');
      await mkdir(folder, { recursive: true });
      await writeFile(conf, `flush ruleset\ntable inet filter { }\n${includes.join('\n')}\n`);
      await space.must(['nft', '-f', conf]);
      expect(await space.ruleset()).toContain('45.9.0.1');
      await removeBootCopy(state);
      await space.must(['nft', '-f', conf]);
      expect(await space.ruleset()).not.toContain('blocklist');
      expect(await space.ruleset()).toContain('table inet filter');
    },
  );
});
