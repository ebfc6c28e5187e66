import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { writeBootCopy } from '../../src/apply/boot-copy.js';
import { parseConfig } from '../../src/config/load.js';
import { examination, good, told } from '../../src/doctor/contract.js';
import { EXAMINATIONS, examine } from '../../src/doctor/examinations.js';
import { firewalls } from '../../src/doctor/firewalls.js';
import { ipv6 } from '../../src/doctor/ipv6.js';
import { memory } from '../../src/doctor/memory.js';
import { nights } from '../../src/doctor/nights.js';
import { findingLines, statusOf } from '../../src/doctor/words.js';
import { BlocklistError } from '../../src/errors.js';
import { PLACE } from '../../src/setup/layout.js';
import { enabledUnits, writtenFiles } from '../../src/setup/written-files.js';
import { tempFolder } from '../io/temp.js';
import { hostIn } from './host.js';

async function put(root: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

/** A host on which systemd runs and everything is installed and enabled. */
async function installed(): Promise<string> {
  const root = await tempFolder();
  for (const { path, text } of writtenFiles('systemd', ['/usr/bin/blocklist'])) await put(root, path, text);
  await put(root, '/usr/bin/blocklist', '');
  await mkdir(join(root, '/run/systemd/system'), { recursive: true });
  await mkdir(join(root, PLACE.units, 'timers.target.wants'), { recursive: true });
  for (const name of enabledUnits()) await symlink(`../${name}`, join(root, PLACE.units, 'timers.target.wants', name));
  return root;
}
const ofUnits = (root: string) => hostIn(root, { folders: { cache: PLACE.cache, state: PLACE.state } });
const notGood = async (root: string, host = ofUnits(root)) =>
  (await nights.examine(host)).filter(({ id, state }) => state !== 'good' && id !== 'boot-copy');

test.each(EXAMINATIONS.map((each) => [each.name, each] as const))(
  '%s: on an empty host it ends, and whatever is not good has a fix',
  async (_name, each) => {
    const found = await examine([each], hostIn(await tempFolder()));
    for (const finding of found) {
      expect(finding.id).toMatch(/^[a-z0-9-]+$/);
      expect(finding.what).not.toMatch(/undefined|\[object/);
      if (finding.state !== 'good') expect(finding.fix.length).toBeGreaterThan(3);
    }
  },
);

test('an examination that cannot be carried out is unknown; a defect is not hidden', async () => {
  const host = hostIn(await tempFolder());
  const failing = (error: Error) => examination('x', { gather: () => Promise.reject(error), judge: () => [] });
  const denied = Object.assign(new Error('no'), { code: 'EACCES' });
  expect(await examine([failing(denied), failing(new BlocklistError('program-failed', 'no'))], host)).toMatchObject([
    { id: 'x', state: 'unknown', fix: expect.stringContaining('sudo') },
    { id: 'x', state: 'unknown' },
  ]);
  await expect(examine([failing(new TypeError('defect'))], host)).rejects.toThrow('defect');
});

test('exit status: a problem is 1, something unseen 3, notes 0', () => {
  const [fine, note, problem, unknown] = [
    good('a', 'x'),
    told('a', 'note', 'x', 'y'),
    told('a', 'problem', 'x', 'y'),
    told('a', 'unknown', 'x', 'y'),
  ];
  expect(statusOf([fine, note])).toBe(0);
  expect(statusOf([fine, unknown])).toBe(3);
  expect(statusOf([unknown, problem])).toBe(1);
});

test('names cannot move the cursor', () => {
  expect(findingLines([told('bridges', 'note', 'bridge \u001b[2Jx', 'do')])).toContain('\\x1b[2Jx');
});

test('nights: installed and enabled is good', async () => {
  expect(await notGood(await installed())).toEqual([]);
});

test('nights: nothing installed, a masked unit, a timer that is not enabled, a program that is gone', async () => {
  expect(await notGood(await tempFolder())).toMatchObject([{ state: 'note', fix: expect.stringContaining('install') }]);
  const root = await installed();
  await rm(join(root, PLACE.units, 'blocklist.timer'));
  await symlink('/dev/null', join(root, PLACE.units, 'blocklist.timer'));
  await rm(join(root, PLACE.units, 'timers.target.wants', 'blocklist-apply.timer'));
  await rm(join(root, '/usr/bin/blocklist'));
  await rm(join(root, PLACE.units, 'blocklist-apply.service'));
  const found = await notGood(root);
  expect(found.map((each) => ('fix' in each ? each.fix : ''))).toEqual([
    'sudo blocklist install',
    'systemctl unmask blocklist.timer',
    'systemctl enable --now blocklist-apply.timer',
    'sudo blocklist install',
  ]);
});

test('nights: an edited unit is a note, timers without systemd and both manners are problems', async () => {
  const root = await installed();
  await put(root, `${PLACE.units}/blocklist.timer`, '[Timer]\n');
  await put(root, PLACE.cron, '17 3 * * * blocklist /usr/bin/blocklist update --quiet\n');
  expect((await notGood(root)).map(({ what }) => what)).toEqual([
    expect.stringContaining('twice'),
    expect.stringContaining('was edited'),
    expect.stringContaining('no cron'),
  ]);
});

test('nights: a boot copy elsewhere than the boot unit looks is a problem', async () => {
  const root = await installed();
  expect((await nights.examine(hostIn(root))).filter(({ id }) => id === 'boot-copy')).toEqual([]);
  const found = await nights.examine(hostIn(root, { config: parseConfig('{}', PLACE.config) }));
  expect(found).toContainEqual(
    expect.objectContaining({ id: 'boot-copy', state: 'problem', fix: expect.stringContaining('paths.state') }),
  );
});

test('nights: a damaged boot copy is a problem wherever it is', async () => {
  const root = await tempFolder();
  const host = hostIn(root);
  await writeBootCopy(host.folders.state, 'rules', Buffer.from('x'));
  await put(host.folders.state, 'boot/rules/blocklist.nft', 'y');
  const found = await nights.examine(host);
  expect(found).toContainEqual(expect.objectContaining({ id: 'boot-copy', state: 'problem', fix: 'blocklist apply' }));
});

test('firewalls: reads ufw.conf, nftables.conf and whether its service is enabled', async () => {
  const root = await tempFolder();
  await put(root, '/etc/ufw/ufw.conf', 'ENABLED=yes\n');
  await put(root, '/etc/nftables.conf', 'flush ruleset\n');
  await put(root, '/proc/net/ip_tables_names', 'filter\n');
  await put(root, `${PLACE.units}/sysinit.target.wants/nftables.service`, '');
  const ids = (await firewalls.examine(hostIn(root))).map(({ id, state }) => `${id} ${state}`);
  expect(ids).toContain('nftables-flush problem');
  expect(ids).toContain('iptables-legacy note');
});

test('ipv6 and memory: read /proc', async () => {
  const root = await tempFolder();
  await put(root, '/proc/net/if_inet6', '20010db8000000000000000000000001 02 40 00 80     eth0\n');
  await put(root, '/proc/meminfo', 'MemTotal: 1 kB\nMemAvailable:    50000 kB\n');
  expect(await memory.examine(hostIn(root))).toMatchObject([{ state: 'problem' }]);
  await put(root, '/sys/fs/cgroup/memory.max', 'max\n');
  await put(root, '/proc/meminfo', 'MemAvailable:    5000000 kB\n');
  expect(await memory.examine(hostIn(root))).toMatchObject([{ state: 'good' }]);
  // Without rules there is nothing to compare with.
  expect(await ipv6.examine(hostIn(root))).toEqual([]);
});
