import type { RuleSets } from '../build/build.js';
import { BlocklistError } from '../errors.js';
import {
  countAddresses,
  type Family,
  formatPrefix,
  IpSet,
  overlapping,
  type Prefix,
  type Prefixes,
} from '../ip/index.js';
import { listedSets, type SetName } from '../render/layout.js';

/** Shortest prefix lengths. */
export interface Widths {
  readonly v4: number;
  readonly v6: number;
}

/** What an artefact is held to, whoever made it. All of it comes from the configuration of this host. */
export interface PlausibleLimits {
  readonly coverage: {
    /** of IPv4, both sides together, 0…1 */
    readonly share: number;
    /** key under `guards` that raises it */
    readonly key: 'max-coverage' | 'max-country-coverage';
  };
  readonly widest: Widths;
  /** What else the configuration allows; asked only for an artefact with a net beyond `widest`, since it costs files to be read. */
  readonly wider: () => Promise<Wider>;
  /** special-purpose ranges and the never-block list */
  readonly neverBlock: IpSet;
}

export interface Wider {
  /** with the sources that have a limit of their own */
  readonly widest: Widths;
  /** addresses of the countries and networks (AS) that are blocked as a whole */
  readonly places: IpSet;
}

/**
 * What the build guarantees and nobody proves: whoever can write an artefact, or push to its branch, could leave the build out.
 *
 * A width cannot be judged as in a source: sets are minimal, so neighbours have merged, and two /8 of one country stand there as a /7 (us has 6.0.0.0/7, 28.0.0.0/7 and
 * 214.0.0.0/7 in the bundled database; cn ends at /10, ru at /13). Among feeds that does not occur: none of the catalogue holds
 * nets of /8 side by side, beyond ranges that are never blocked anyway. So a net may be wider than the limit only as far as the countries and networks of this
 * host's own configuration explain it: what is left of it without them must keep to the limit. Coverage alone would not do: 32.0.0.0/3 is an eighth of IPv4 and 2a00::/12 all of Europe.
 * @throws BlocklistError `never-block`, `rules-too-wide`, `coverage-limit` (in this order), with set and prefix.
 */
export async function requirePlausibleArtefact(sets: RuleSets, limits: PlausibleLimits): Promise<void> {
  const named = listedSets(sets);
  for (const block of limits.neverBlock.prefixes()) {
    for (const { name, prefixes } of named) {
      const hit = overlapping(prefixes, block);
      if (hit !== undefined) throw neverBlock(name, narrower(hit, block), hit);
    }
  }
  let wider: Wider | undefined;
  for (const { name, prefixes } of named) {
    for (const net of widerThan(prefixes, limits.widest)) {
      wider ??= await limits.wider();
      requireExplained(name, net, wider);
    }
  }
  const share = shareOf(sets);
  if (share <= limits.coverage.share) return;
  throw new BlocklistError(
    'coverage-limit',
    `the rules would block ${percent(share)} of IPv4, more than the ${percent(limits.coverage.share)} allowed; nothing was changed`,
    {
      hint: `if it is meant, ${limits.coverage.key === 'max-coverage' ? 'name its countries under sources.countries.block of this host (networks under sources.asns), or ' : ''}raise guards.${limits.coverage.key}`,
    },
  );
}

/** Of IPv4. The sets of one side are disjoint, those of two are not. */
function shareOf(sets: RuleSets): number {
  if (sets.out === undefined) {
    const { nodes4, nets4 } = sets.in;
    return Number(countAddresses(nodes4) + countAddresses(nets4)) / 2 ** 32;
  }
  return IpSet.unionOf(listedSets(sets).map(({ prefixes }) => IpSet.ofPrefixes(prefixes))).v4.share();
}

function narrower(a: Prefix, b: Prefix): Prefix {
  return a.length > b.length ? a : b;
}

function neverBlock(name: SetName, hit: Prefix, net: Prefix): BlocklistError {
  return new BlocklistError(
    'never-block',
    `the rules would block ${formatPrefix(hit)}, which is never blocked (set ${name}, ${formatPrefix(net)}); nothing was changed`,
    {
      where: `${name} ${formatPrefix(net)}`,
      hint: 'blocklist build leaves such addresses out: these rules come from elsewhere, or from another version of it; build them again',
    },
  );
}

function requireExplained(name: SetName, net: Prefix, { widest, places }: Wider): void {
  const limit = limitOf(widest, net.family);
  if (net.length >= limit) return;
  for (const rest of IpSet.from([net]).subtract(places).prefixes()) {
    if (rest.length >= limit) continue;
    throw new BlocklistError(
      'rules-too-wide',
      `the rules hold ${formatPrefix(net)}, wider than the /${limit} allowed (set ${name}); nothing was changed`,
      {
        where: `${name} ${formatPrefix(net)}`,
        hint: `if it is meant, name its country under sources.countries.block of this host (its network under sources.asns), or lower guards.max-prefix-v${net.family.version}`,
      },
    );
  }
}

function* widerThan(prefixes: Prefixes, widest: Widths): Generator<Prefix, void, undefined> {
  const limit = limitOf(widest, prefixes.family);
  for (let i = 0; i < prefixes.size; i++) if (prefixes.lengths[i]! < limit) yield blockAt(prefixes, i);
}

function blockAt({ family, words, lengths }: Prefixes, i: number): Prefix {
  return { family, words: words.slice(i * family.words, (i + 1) * family.words), length: lengths[i]! };
}

function limitOf({ v4, v6 }: Widths, { version }: Family): number {
  return version === 4 ? v4 : v6;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
