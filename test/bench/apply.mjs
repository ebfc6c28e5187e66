// Rows about loading: `apply` beside a bare `nft -f` that creates the same sets, in a network namespace of its own.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { neverBlock } from '../../dist/commands/lists.js';
import { formatPrefix, fourSets, IpSet } from '../../dist/ip/index.js';
import { renderArtefact } from '../../dist/render/artefact.js';
import { declarations } from '../../dist/render/commands.js';
import { namedSets, specOf } from '../../dist/render/layout.js';
import { printText } from '../../dist/render/nft-text.js';
import { has, median, PAIRS, wall } from './measure.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));
const ms = (value) => `${value.toFixed(0)} ms`;

/** What the owner's server holds (DESIGN). */
const SHAPE = { nodes4: 157_600, nets4: 46_084, nodes6: 7, nets6: 19_507 };
/** One in fifty of the IPv4 entries is another one the next night; countries' IPv6 networks stay. */
const CHANGED = 0.02;

const texts = (prefixes) => [...IpSet.ofPrefixes(prefixes).prefixes()].map(formatPrefix);

/** Sets of exactly this shape from the lists at hand: neighbours in numeric order, `shift` of them moved on. */
export function setsOf({ v4, countries }, never, shift) {
  const country = fourSets(
    IpSet.from([...countries.v4.slice(0, 200_000), ...countries.v6.slice(0, 60_000)]).subtract(never),
  );
  const bad = fourSets(IpSet.from(v4).subtract(never).subtract(IpSet.ofPrefixes(country.nets4)));
  const from = (prefixes, count, part) => {
    const skip = Math.round(count * part);
    return texts(prefixes).slice(skip, skip + count);
  };
  const lines = [
    ...from(bad.nodes4, SHAPE.nodes4, shift),
    ...from(country.nets4, SHAPE.nets4, shift),
    ...from(country.nets6, SHAPE.nets6, 0),
    ...Array.from({ length: SHAPE.nodes6 }, (_, i) => `2a00::${(2 * i + 1).toString(16)}`),
  ];
  return { in: fourSets(IpSet.from(lines)) };
}

/** What covers more than a host would usually allow is allowed here. */
export const GENEROUS =
  'paths: {cache: cache, state: state}\nguards: {max-coverage: 90%, max-prefix-v4: 1, max-prefix-v6: 1}\n';

/** A folder with these rules. */
function project(root, sets) {
  for (const name of ['rules', 'other']) mkdirSync(join(root, name), { recursive: true });
  const [here, other] = sets.map((each) => renderArtefact(each, []));
  for (const [name, bytes] of here) writeFileSync(join(root, 'rules', name), bytes);
  for (const [name, bytes] of other) writeFileSync(join(root, 'other', name), bytes);
  writeFileSync(join(root, 'blocklist.yaml'), GENEROUS);
  writeFileSync(join(root, 'bare.nft'), bare(sets[0]));
  return {
    config: join(root, 'blocklist.yaml'),
    use: (name) => cpSync(join(root, name), join(root, 'rules'), { recursive: true }),
  };
}

/** Creates the same sets and fills them, without a rule. */
function bare(sets) {
  const named = namedSets(sets);
  return printText(
    [],
    [
      ...declarations(named.map(({ name }) => specOf(name))),
      ...named.map(({ name, prefixes }) => ({ do: 'add-elements', set: specOf(name), prefixes })),
    ],
  );
}

export async function loading(lists, folder) {
  const name = `blocklist-bench-${process.pid}`;
  if (process.getuid() !== 0 || !has('nft') || !has('ip'))
    return [{ name: 'apply', value: Number.NaN, unit: '×', limit: '', holds: false, detail: 'needs root, nft and ip' }];
  execFileSync('ip', ['netns', 'add', name]);
  try {
    return measure(lists, await neverBlock(), join(folder, 'apply'), ['ip', 'netns', 'exec', name]);
  } finally {
    execFileSync('ip', ['netns', 'del', name]);
  }
}

function measure(lists, never, root, inside) {
  const first = setsOf(lists, never, 0);
  const { config, use } = project(root, [first, setsOf(lists, never, CHANGED / 2)]);
  const size = Object.values(first.in)
    .reduce((sum, each) => sum + each.size, 0)
    .toLocaleString('en');
  const nft = (...args) => wall([...inside, 'nft', ...args]);
  const apply = (...args) => wall([...inside, process.execPath, CLI, 'apply', '--quiet', '--config', config, ...args]);
  const empty = () => {
    nft('flush', 'ruleset');
    rmSync(join(root, 'state'), { recursive: true, force: true });
  };
  cpSync(join(root, 'rules'), join(root, 'first'), { recursive: true });
  const times = { bare: [], fast: [], whole: [], changed: [], same: [], flush: [] };
  for (let i = 0; i < PAIRS; i++) {
    empty();
    times.bare.push(nft('-f', join(root, 'bare.nft')));
    empty();
    use('first');
    times.whole.push(apply());
    empty();
    times.fast.push(apply('--fast'));
    times.same.push(apply('--fast'));
    use('other');
    times.changed.push(apply('--fast'));
    times.flush.push(nft('-f', join(root, 'rules', 'blocklist.nft')));
  }
  const row = (what, key, limit) => {
    const value = median(times[key].map((time, i) => time / times.bare[i]));
    const holds = limit === undefined || value <= limit;
    const must = limit === undefined ? 'none' : `≤ ${limit}`;
    return {
      name: `${what} ÷ bare nft -f`,
      value,
      unit: '×',
      limit: must,
      holds,
      detail: `${ms(median(times[key]))} / ${ms(median(times.bare))}`,
    };
  };
  return [
    row(`apply, first load of ${size} prefixes`, 'fast', 1.3),
    row('apply, the same, everything read back', 'whole', 3),
    row('apply, 2 % of IPv4 changed', 'changed', 0.8),
    row('apply, nothing changed', 'same', 0.3),
    row('nft -f blocklist.nft over loaded sets', 'flush', undefined),
  ];
}
