import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blocklist } from '../commands/cli.js';
import { tempFolder } from '../io/temp.js';
import { run } from '../system/processes.js';
import { CLI, READABLE, READABLE_CLI, systemTest, WITHOUT_RIGHTS } from '../system/requirements.js';

const PROGRAM = '/usr/local/bin/blocklist';
const install = (root: string, ...flags: string[]) =>
  blocklist(['install', '--root', root, '--program', PROGRAM, ...flags]);
const uninstall = (root: string, ...flags: string[]) => blocklist(['uninstall', '--root', root, ...flags]);
/** Every file and folder, files with their content. */
async function tree(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const pairs = entries.map(async (entry): Promise<[string, string]> => {
    const path = join(entry.parentPath, entry.name);
    return [path.slice(root.length), entry.isDirectory() ? '/' : await readFile(path, 'utf8')];
  });
  return Object.fromEntries((await Promise.all(pairs)).sort());
}
const UNITS = '/etc/systemd/system';

test('the plan comes first, and a dry run is only that', async () => {
  const root = await tempFolder();
  const ran = await install(root, '--dry-run');
  expect(ran.status).toBe(0);
  expect(ran.stdout).toContain(`write    ${root}${UNITS}/blocklist-update.service\n`);
  expect(ran.stdout).toContain(`make     folder ${root}/etc/blocklist/rules, owner blocklist, mode 755\n`);
  expect(await tree(root)).toEqual({});
});

test('where fail2ban is, its action and the copy of its bans are installed, and removed again', async () => {
  const root = await tempFolder();
  const ours = ['/etc/fail2ban/action.d/blocklist.conf', '/usr/local/lib/blocklist-copy-fail2ban.py'];
  const there = async () => Object.keys(await tree(root)).filter((name) => ours.includes(name));
  await install(root, '--yes');
  expect(await there()).toEqual([]);
  await mkdir(join(root, 'etc/fail2ban/action.d'), { recursive: true });
  const ran = await install(root, '--yes');
  expect(ran.stderr).toContain('banaction = blocklist');
  expect(await there()).toEqual(ours);
  const action = join(root, ours[0] ?? '');
  expect(await readFile(action, 'utf8')).toContain(`\nblocklist = ${PROGRAM} --quiet --config /etc/blocklist/`);
  const before = await tree(root);
  expect((await install(root, '--yes')).stderr).toContain('nothing to do');
  expect(await tree(root)).toEqual(before);
  await appendFile(action, '# mine\n');
  expect((await uninstall(root, '--yes')).status).toBe(4);
  await uninstall(root, '--yes', '--force');
  expect(await there()).toEqual([]);
});

test('nobody to be asked is not a yes', async () => {
  const root = await tempFolder();
  const ran = await install(root);
  expect(ran.status).toBe(4);
  expect(ran.stderr).toContain('add --yes where nobody can be asked');
  expect(await tree(root)).toEqual({});
});

test('an image gets files and folders, and is told what remains', async () => {
  const root = await tempFolder();
  const ran = await install(root, '--yes');
  expect(ran.stderr).toContain(`remains: systemctl --root=${root} enable blocklist.timer`);
  const files = Object.keys(await tree(root));
  expect(files).toContain('/etc/sysusers.d/blocklist.conf');
  expect(files).toContain('/var/lib/blocklist/update');
  expect((await stat(join(root, 'etc/blocklist/rules'))).mode & 0o777).toBe(0o755);
  expect(files.filter((name) => name.startsWith(`${UNITS}/`))).toHaveLength(8);
});

test('a second time there is nothing to do; another program replaces what is ours', async () => {
  const root = await tempFolder();
  await install(root, '--yes');
  const before = await tree(root);
  const again = await install(root);
  expect(again).toMatchObject({ status: 0, stdout: '' });
  expect(again.stderr).toContain('nothing to do: everything is installed');
  expect(await tree(root)).toEqual(before);
  const moved = await blocklist(['install', '--root', root, '--program', '/usr/bin/blocklist', '--yes']);
  expect(moved.stdout).toBe(
    ['update', 'apply', 'stats']
      .map((name) => `replace  ${root}${UNITS}/blocklist-${name}.service (from an earlier install)\n`)
      .join(''),
  );
});

test('what somebody edited is kept, unless it is forced, by both', async () => {
  const root = await tempFolder();
  await install(root, '--yes');
  const timer = join(root, UNITS, 'blocklist.timer');
  await appendFile(timer, '# mine\n');
  const before = await tree(root);
  for (const work of [install, uninstall]) {
    const ran = await work(root, '--yes');
    expect(ran.status).toBe(4);
    expect(ran.stderr).toContain('blocklist.timer was edited since it was installed; nothing was changed');
    expect(ran.stderr).toContain('systemctl edit UNIT');
    expect(await tree(root)).toEqual(before);
  }
  const forced = await install(root, '--yes', '--force');
  expect(forced.stdout).toBe(`replace  ${timer} (edited since it was installed: those changes are lost)\n`);
  expect(await readFile(timer, 'utf8')).not.toContain('# mine');
});

test('a file that was there before is not ours to replace or remove', async () => {
  const root = await tempFolder();
  await mkdir(join(root, UNITS), { recursive: true });
  const timer = join(root, UNITS, 'blocklist.timer');
  await writeFile(timer, '[Timer]\n');
  expect((await install(root, '--yes')).stderr).toContain('blocklist.timer was not written by install');
  await rm(timer);
  await install(root, '--yes');
  await writeFile(timer, '[Timer]\n');
  const ran = await uninstall(root, '--yes');
  expect(ran).toMatchObject({ status: 0 });
  expect(ran.stderr).toContain('blocklist.timer, which install did not write');
  expect(await readFile(timer, 'utf8')).toBe('[Timer]\n');
});

test('uninstall leaves nothing of install and touches nothing else; --purge takes the data, too', async () => {
  const root = await tempFolder();
  const foreign = ['etc/systemd/system/other.service', 'etc/blocklist/blocklist.yaml', 'var/lib/blocklist/own'];
  for (const name of foreign) {
    await mkdir(join(root, name, '..'), { recursive: true });
    await writeFile(join(root, name), name.endsWith('.yaml') ? '{}\n' : name);
  }
  const before = await tree(root);
  await install(root, '--yes');
  expect(await uninstall(root, '--yes')).toMatchObject({ status: 0 });
  const after = await tree(root);
  expect(after).toMatchObject(before);
  const added = Object.entries(after).filter(([name, content]) => content !== '/' && before[name] === undefined);
  expect(added).toEqual([]);
  expect((await uninstall(root, '--yes')).stderr).toContain('nothing to do: nothing of install is here');
  await uninstall(root, '--yes', '--purge');
  const left = Object.entries(await tree(root)).filter(([, content]) => content !== '/');
  expect(left.map(([name]) => name)).toEqual(['/etc/systemd/system/other.service']);
});

test('cron in place of systemd: the units go, the include line is told', async () => {
  const root = await tempFolder();
  await install(root, '--yes');
  const ran = await install(root, '--yes', '--cron');
  expect(ran.stderr).toContain('at the END of /etc/nftables.conf:\ninclude "/var/lib/blocklist/boot/loca[l]/');
  const files = Object.keys(await tree(root));
  expect(files).toContain('/etc/cron.d/blocklist');
  expect(files.filter((name) => name.startsWith(`${UNITS}/`))).toEqual([]);
  expect((await install(root, '--cron')).stderr).toContain('nothing to do');
});

test('a configuration with folders that the services may not write is refused', async () => {
  const root = await tempFolder();
  await mkdir(join(root, 'etc/blocklist'), { recursive: true });
  await writeFile(join(root, 'etc/blocklist/blocklist.yaml'), 'paths: {rules: /srv/rules}\n');
  const ran = await install(root, '--yes');
  expect(ran.status).toBe(2);
  expect(ran.stderr).toContain('the services may write their own folders only');
});

test.each([
  [['--config', '/srv/x.yaml'], 'the services read /etc/blocklist/blocklist.yaml'],
  [['--program', 'blocklist'], 'expected an absolute path'],
])('refused: %j', async (flags, words) => {
  const ran = await install(await tempFolder(), ...flags);
  expect(ran.status).toBe(2);
  expect(ran.stderr).toContain(words);
});

test('--json: the plan as data, an error as an object', async () => {
  const root = await tempFolder();
  const plan = JSON.parse((await install(root, '--json', '--dry-run')).stdout);
  expect(plan).toMatchObject({ schema: 'blocklist/install', version: 1, dryRun: true });
  expect(JSON.parse((await install(root, '--json')).stderr)).toMatchObject({ error: { code: 'not-confirmed' } });
});

systemTest('a program that others could change or that units cannot see is refused', ['root'], async () => {
  const folder = await tempFolder();
  await writeFile(join(folder, 'blocklist'), '#!/bin/sh\n', { mode: 0o755 });
  const ran = await blocklist(['install', '--dry-run', '--program', join(folder, 'blocklist')]);
  expect(ran.status).toBe(2);
  expect(ran.stderr).toContain('lies below /tmp, which the units cannot see');
  expect(ran.stderr).toContain('npm install --global blocklist');
});

systemTest('without root: told how, and the plan can still be seen', ['root', 'setpriv', 'mountns'], async () => {
  const user = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
  const call = [...READABLE, ...user, process.execPath, READABLE_CLI];
  for (const command of ['install', 'uninstall']) {
    const ran = await run([...call, command, '--yes']);
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain(`${command} needs root`);
    expect(ran.stderr).toContain('sudo ');
  }
  expect(await run([...call, 'install', '--dry-run', '--program', '/usr/bin/true'])).toMatchObject({ status: 0 });
});

systemTest('a target that cannot be written is an error of ours, and half an install goes on', ['root'], async () => {
  const root = await tempFolder();
  await mkdir(join(root, 'etc'), { recursive: true });
  await writeFile(join(root, 'etc/systemd'), 'in the way');
  const ran = await run([
    ...WITHOUT_RIGHTS,
    process.execPath,
    CLI,
    'install',
    '--root',
    root,
    '--program',
    PROGRAM,
    '--yes',
  ]);
  expect(ran.status).toBe(5);
  expect(ran.stderr).not.toContain('this is a defect');
  await rm(join(root, 'etc/systemd'));
  expect(await install(root, '--yes')).toMatchObject({ status: 0 });
  expect((await install(root)).stderr).toContain('nothing to do');
});
