// Rows about packets: how many a second pass a host with the owner's lists loaded, beside one without a table and one with everything in one interval set.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { neverBlock } from '../../dist/commands/lists.js';
import { formatPrefix, IpSet, SET_KEYS } from '../../dist/ip/index.js';
import { renderNft } from '../../dist/render/artefact.js';
import { setsOf } from './apply.mjs';
import { has, median, PAIRS } from './measure.mjs';

const SENDER = fileURLToPath(new URL('../system/sender.c', import.meta.url));
const PORT = 9999;
const SECONDS = 1.5;
/** In no list: the sets are without it. */
const [HOST, FREE] = ['198.51.100.1', '198.51.100.2'];

/** Behind our rules, before routing: what comes so far counts as passed, and costs nothing further. */
const END = `table inet watch { chain end { type filter hook prerouting priority -305; udp dport ${PORT} drop; }; }`;

export async function packets(lists, folder) {
  if (process.getuid() !== 0 || !['nft', 'ip', 'gcc'].every(has)) {
    return [
      { name: 'packets', value: Number.NaN, unit: '×', limit: '', holds: false, detail: 'needs root, nft, ip and gcc' },
    ];
  }
  const root = join(folder, 'packets');
  mkdirSync(root, { recursive: true });
  execFileSync('gcc', ['-O2', '-o', join(root, 'sender'), SENDER]);
  const sets = setsOf(lists, await neverBlock(), 0);
  const listed = firstNode(sets);
  const scripts = { none: END, ours: `${Buffer.from(renderNft(sets))}\n${END}`, one: `${oneSet(sets)}\n${END}` };
  for (const [name, text] of Object.entries(scripts))
    writeFileSync(join(root, `${name}.nft`), `flush ruleset\n${text}\n`);
  const names = ['host', 'peer'].map((name) => `blocklist-bench-${name}-${process.pid}`);
  for (const name of names) execFileSync('ip', ['netns', 'add', name]);
  try {
    cable(names, listed);
    return measure(names, root, listed);
  } finally {
    for (const name of names) execFileSync('ip', ['netns', 'del', name]);
  }
}

const firstNode = ({ in: { nodes4 } }) => formatPrefix([...IpSet.ofPrefixes(nodes4).prefixes()][1000]);

/** As somebody writes it by hand: all of a family in one set with intervals. */
function oneSet(sets) {
  const texts = (version) =>
    SET_KEYS.filter((key) => key.endsWith(version)).flatMap((key) =>
      [...IpSet.ofPrefixes(sets.in[key]).prefixes()].map(formatPrefix),
    );
  return `table inet hand {
    set all4 { type ipv4_addr; flags interval; elements = { ${texts('4').join(', ')} }; }
    set all6 { type ipv6_addr; flags interval; elements = { ${texts('6').join(', ')} }; }
    chain early { type filter hook prerouting priority -310; ip saddr @all4 counter drop; ip6 saddr @all6 counter drop; }
  }`;
}

function cable([host, peer], listed) {
  const ip = (name, line) => execFileSync('ip', ['-n', name, ...line.split(' ')]);
  execFileSync('ip', `link add wire netns ${host} type veth peer name wire netns ${peer}`.split(' '));
  ip(host, `addr add ${HOST}/24 dev wire`);
  ip(host, 'link set wire up');
  for (const address of [`${FREE}/24`, `${listed}/32`]) ip(peer, `addr add ${address} dev wire`);
  ip(peer, 'link set wire up');
  const [{ address }] = JSON.parse(execFileSync('ip', ['-n', host, '-j', 'link', 'show', 'wire']));
  ip(peer, `neigh replace ${HOST} lladdr ${address} nud permanent dev wire`);
}

function measure([host, peer], root, listed) {
  const rate = (rules, source) => {
    execFileSync('ip', ['netns', 'exec', host, 'nft', '-f', join(root, `${rules}.nft`)]);
    const pair = [source, HOST];
    const argv = ['netns', 'exec', peer, join(root, 'sender'), String(SECONDS), String(PORT), ...pair, ...pair];
    const [, sent, seconds] = /sent (\d+) in ([\d.]+)/.exec(spawnSync('ip', argv).stdout.toString());
    return Number(sent) / Number(seconds);
  };
  const rates = { none: [], one: [], ours: [], listedOne: [], listedOurs: [] };
  for (let i = 0; i < PAIRS; i++) {
    rates.none.push(rate('none', FREE));
    rates.one.push(rate('one', FREE));
    rates.ours.push(rate('ours', FREE));
    rates.listedOne.push(rate('one', listed));
    rates.listedOurs.push(rate('ours', listed));
  }
  const row = (name, key, beside) => ({
    name,
    value: median(rates[key].map((value, i) => value / rates[beside][i])),
    unit: '×',
    limit: 'none',
    holds: true,
    detail: `${thousands(rates[key])} / ${thousands(rates[beside])} packets/s`,
  });
  return [
    row('packets/s of an unlisted address ÷ without a table', 'ours', 'none'),
    row('the same ÷ one interval set for all', 'ours', 'one'),
    row('packets/s of a listed address ÷ one interval set for all', 'listedOurs', 'listedOne'),
  ];
}

const thousands = (rates) => `${Math.round(median(rates) / 1000).toLocaleString('en')}k`;
