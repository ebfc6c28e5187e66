import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { tempFolder } from '../io/temp.js';
import { HostTree } from './host-tree.js';
import { run } from './processes.js';
import { CLI, describeSystem, READABLE, READABLE_CLI, systemTest } from './requirements.js';

const PROGRAM = ['--program', '/usr/bin/true'];
const CONFIG = '/etc/blocklist/blocklist.yaml';
const passwdLine = /^blocklist:x:\d+:\d+:.*:\/var\/lib\/blocklist\/update:\/usr\/sbin\/nologin$/m;

async function host(systemd: boolean): Promise<HostTree> {
  return HostTree.create(await tempFolder(), { systemd });
}

describeSystem('install on a host', ['root', 'mountns', 'netns', 'systemd-sysusers', 'setpriv', 'nft'], () => {
  systemTest('makes the user and the folders, tells systemd, and is done', ['root'], async () => {
    const tree = await host(true);
    const ran = await tree.blocklist('install', ...PROGRAM, '--yes');
    expect(ran.status).toBe(0);
    expect(ran.stdout).toContain('make     system user blocklist, without login\n');
    expect(await tree.asked()).toEqual([
      'daemon-reload',
      'enable --now blocklist.timer blocklist-apply.timer blocklist-stats.timer',
      'enable blocklist-boot.service',
    ]);
    expect(await tree.must('cat', '/etc/passwd')).toMatch(passwdLine);
    const folders = ['/etc/blocklist', '/etc/blocklist/rules', '/var/cache/blocklist', '/var/lib/blocklist'];
    const facts = await tree.must('stat', '-c', '%U %a %n', ...folders, '/var/lib/blocklist/update');
    expect(facts.split('\n').slice(0, 5)).toEqual([
      'root 755 /etc/blocklist',
      'blocklist 755 /etc/blocklist/rules',
      'blocklist 755 /var/cache/blocklist',
      'root 755 /var/lib/blocklist',
      'blocklist 755 /var/lib/blocklist/update',
    ]);
    const again = await tree.blocklist('install', ...PROGRAM);
    expect(again).toMatchObject({ status: 0, stdout: '' });
    expect(again.stderr).toContain('nothing to do');
  });

  systemTest('the host itself is not what these tests change', ['root'], async () => {
    const tree = await host(true);
    const places = [
      '/etc/passwd',
      '/etc/blocklist',
      '/var/lib/blocklist',
      '/var/cache/blocklist',
      '/etc/systemd/system',
    ];
    const facts = () => run(['stat', '-c', '%n %i %y %z %s', ...places]);
    const before = await facts();
    await tree.blocklist('install', ...PROGRAM, '--yes');
    await tree.blocklist('uninstall', '--yes', '--purge');
    expect(await facts()).toEqual(before);
  });

  systemTest('what root fetched before is handed to the system user', ['root'], async () => {
    const tree = await host(true);
    await tree.must('sh', '-c', 'mkdir -p /var/cache/blocklist/sources/a && echo x > /var/cache/blocklist/sources/a/b');
    const ran = await tree.blocklist('install', ...PROGRAM, '--yes');
    expect(ran.stdout).toContain('chown    /var/cache/blocklist to blocklist\n');
    expect(await tree.must('stat', '-c', '%U', '/var/cache/blocklist/sources/a/b')).toBe('blocklist\n');
  });

  systemTest('uninstall stops the timers first; --purge leaves nothing, not even the user', ['root'], async () => {
    const tree = await host(true);
    await tree.blocklist('install', ...PROGRAM, '--yes');
    await tree.must('mkdir', '/etc/systemd/system/blocklist.timer.d');
    const ran = await tree.blocklist('uninstall', '--yes');
    expect(ran.status).toBe(0);
    expect(ran.stdout.split('\n')[0]).toMatch(/^run {6}systemctl disable --now blocklist\.timer /);
    expect(ran.stderr).toContain('kept: your drop-ins in /etc/systemd/system/blocklist.timer.d');
    expect(ran.stderr).toContain('unload removes it');
    expect((await tree.asked()).slice(-2)).toEqual([
      'disable --now blocklist.timer blocklist-apply.timer blocklist-stats.timer blocklist-boot.service',
      'daemon-reload',
    ]);
    expect(await tree.must('cat', '/etc/passwd')).toMatch(passwdLine);
    expect((await tree.blocklist('uninstall', '--yes', '--purge')).status).toBe(0);
    expect(await tree.must('cat', '/etc/passwd')).not.toMatch(passwdLine);
    // An action of that name belongs to fail2ban.
    const left = await tree.must(
      'sh',
      '-c',
      'find /etc /var/lib /var/cache -name "*blocklist*" ! -name blocklist_de.conf | sort',
    );
    expect(left).toBe('/etc/systemd/system/blocklist.timer.d\n');
  });

  systemTest('a read-only /etc: told, nothing is half enabled, and later it goes on', ['root'], async () => {
    const tree = await host(true);
    const install = [process.execPath, CLI, 'install', ...PROGRAM, '--yes'];
    const ran = await tree.run('sh', '-c', 'mount -o remount,ro /etc && exec "$@"', 'sh', ...install);
    expect(ran.status).toBe(5);
    // Node's recursive mkdir says ENOENT where the kernel said EROFS.
    expect(ran.stderr).toMatch(/cannot write \/etc\/sysusers\.d\/blocklist\.conf: E(ROFS|NOENT)/);
    expect((await tree.asked()).filter((call) => call.startsWith('enable'))).toEqual([]);
    expect(await tree.run(...install)).toMatchObject({ status: 0 });
  });

  systemTest('without systemd it is cron, and nothing is asked of systemctl', ['root'], async () => {
    const tree = await host(false);
    const ran = await tree.blocklist('install', ...PROGRAM, '--yes');
    expect(ran.stdout).toContain('write    /etc/cron.d/blocklist\n');
    expect(ran.stderr).toContain('at the END of /etc/nftables.conf');
    expect(await tree.asked()).toEqual([]);
    expect((await tree.blocklist('install', ...PROGRAM)).stderr).toContain('nothing to do');
  });

  systemTest('init and install go together', ['root'], async () => {
    const tree = await host(true);
    const first = await tree.blocklist('install', ...PROGRAM, '--yes');
    expect(first.stderr).toMatch(/next: .* init --config \/etc\/blocklist\/blocklist\.yaml/);
    expect((await tree.blocklist('init', '--config', CONFIG)).stderr).toMatch(/next: .* install$/m);
    expect((await tree.blocklist('install', ...PROGRAM)).stderr).toContain('next: systemctl start blocklist-update');
  });

  systemTest('the program is called by real paths, which nobody but root may change', ['root'], async () => {
    const tree = await host(true);
    const place = '/usr/local/lib/node_modules/blocklist';
    const checkout = dirname(dirname(CLI));
    const parts = ['dist', 'lists', 'package.json'].map((name) => join(checkout, name));
    await tree.must('mkdir', '-p', place);
    await tree.must('cp', '-r', ...parts, place);
    await tree.must('chown', '-R', 'root:root', place);
    await tree.must('ln', '-s', `${place}/dist/cli.cjs`, '/usr/local/bin/blocklist');
    const self = (...words: string[]) => tree.run(process.execPath, '/usr/local/bin/blocklist', ...words);
    const node = await realpath(process.execPath);
    expect(await self('install', '--yes')).toMatchObject({ status: 0 });
    const unit = await tree.must('cat', '/etc/systemd/system/blocklist-apply.service');
    expect(unit).toContain(`\nExecStart=${node} ${place}/dist/cli.cjs apply --repair --quiet `);
    await tree.must('chown', 'nobody', '/usr/local/lib/node_modules');
    const refused = await self('install', '--dry-run');
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('/usr/local/lib/node_modules belongs to user 65534, who could change it for root');
  });

  systemTest('the night: update without any right, apply with CAP_NET_ADMIN alone', ['root'], async () => {
    const tree = await host(true);
    await tree.blocklist('install', ...PROGRAM, '--yes');
    const etc = join(tree.folder, 'etc/upper/blocklist');
    await mkdir(join(etc, 'lists'));
    await writeFile(join(etc, 'blocklist.yaml'), 'sources: {custom: [{id: own, file: lists/own.txt}]}\n');
    await writeFile(join(etc, 'lists/own.txt'), '45.9.0.1\n45.9.1.0/24\n');
    // The rights of blocklist-update.service and blocklist-apply.service, and the folders that they name.
    const places = ['BLOCKLIST_CACHE_DIR=/var/cache/blocklist', 'BLOCKLIST_STATE_DIR=/var/lib/blocklist/update'];
    const user =
      '--reuid blocklist --regid blocklist --clear-groups --no-new-privs --bounding-set -all --inh-caps -all';
    const program = [process.execPath, CLI];
    const update = [
      ...READABLE,
      'setpriv',
      ...user.split(' '),
      'env',
      ...places,
      process.execPath,
      READABLE_CLI,
      'update',
      '--quiet',
      '--config',
      CONFIG,
    ];
    expect(await tree.run(...update)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await tree.must('stat', '-c', '%U %a', '/etc/blocklist/rules/manifest.json')).toBe('blocklist 644\n');
    const loader = '--no-new-privs --bounding-set -all,+net_admin --inh-caps -all';
    const apply = ['setpriv', ...loader.split(' '), ...program, 'apply', '--quiet', '--config', CONFIG];
    const listed = await tree.run('sh', '-c', '"$@" && nft list set inet blocklist nodes4', 'sh', ...apply);
    expect(listed).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('45.9.0.1') });
    // Without that one capability it is refused.
    const without = apply.map((word) => word.replace(',+net_admin', ''));
    expect(await tree.run(...without)).toMatchObject({ status: 5 });
  });
});
