// Rows about firewalld: a reload with our ipsets beside an apply of the same addresses into our own table.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { neverBlock } from '../../dist/commands/lists.js';
import { formatPrefix, fourSets, IpSet } from '../../dist/ip/index.js';
import { renderArtefact } from '../../dist/render/artefact.js';
import { renderFirewalld } from '../../dist/render/firewalld.js';
import { GENEROUS, setsOf } from './apply.mjs';
import { has, median, PAIRS, wall } from './measure.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));
const SIZES = [1_000, 19_507];

export async function firewalld(lists, folder) {
  if (process.getuid() !== 0 || !['nft', 'firewalld', 'dbus-daemon'].every(has)) {
    const detail = 'needs root, nft, firewalld and dbus';
    return [{ name: 'firewalld', value: Number.NaN, unit: '×', limit: '', holds: false, detail }];
  }
  const root = join(folder, 'firewalld');
  const etc = join(root, 'etc');
  mkdirSync(root, { recursive: true });
  execFileSync('cp', ['-a', '/etc/firewalld', etc]);
  const nets = [...IpSet.ofPrefixes(setsOf(lists, await neverBlock(), 0).in.nets4).prefixes()].map(formatPrefix);
  const script = `ip link set lo up; mount --bind ${etc} /etc/firewalld; mkdir -p /run/dbus; mount -t tmpfs none /run/dbus
    dbus-daemon --system --nofork --nopidfile & sleep 1; firewalld --nofork --nopid & exec sleep 600`;
  const holder = spawn('unshare', ['-n', '-m', 'sh', '-c', script], { stdio: 'ignore' });
  try {
    const inside = ['nsenter', `--mount=/proc/${holder.pid}/ns/mnt`, `--net=/proc/${holder.pid}/ns/net`, '--'];
    await running(inside);
    return SIZES.map((size) => measure(inside, root, nets.slice(0, size)));
  } finally {
    // Its daemons are its children.
    spawnSync('pkill', ['-P', String(holder.pid)]);
    holder.kill();
  }
}

async function running(inside) {
  for (let tries = 0; tries < 100; tries++) {
    if (spawnSync(inside[0], [...inside.slice(1), 'firewall-cmd', '--state']).status === 0) return;
    await pause(200);
  }
  throw new Error('firewalld does not start');
}

function measure(inside, root, nets) {
  const four = fourSets(IpSet.from(nets));
  const put = (base, files) => {
    for (const [name, bytes] of files) {
      mkdirSync(dirname(join(root, base, name)), { recursive: true });
      writeFileSync(join(root, base, name), bytes);
    }
  };
  put('etc', renderFirewalld(four));
  rmSync(join(root, 'rules'), { recursive: true, force: true });
  put('rules', renderArtefact({ in: four }, []));
  writeFileSync(join(root, 'blocklist.yaml'), GENEROUS);
  const apply = [process.execPath, CLI, 'apply', '--quiet', '--fast', '--config', join(root, 'blocklist.yaml')];
  const [reloads, applies] = [[], []];
  for (let i = 0; i < PAIRS; i++) {
    reloads.push(wall([...inside, 'firewall-cmd', '--reload']));
    spawnSync(inside[0], [...inside.slice(1), 'nft', 'delete', 'table', 'inet', 'blocklist']);
    rmSync(join(root, 'state'), { recursive: true, force: true });
    applies.push(wall([...inside, ...apply]));
  }
  const seconds = (times) => `${(median(times) / 1000).toFixed(2)} s`;
  return {
    name: `firewall-cmd --reload with ${nets.length.toLocaleString('en')} nets ÷ our apply`,
    value: median(reloads.map((time, i) => time / applies[i])),
    unit: '×',
    limit: 'none',
    holds: true,
    detail: `${seconds(reloads)} / ${seconds(applies)}`,
  };
}
