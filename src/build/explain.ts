import { formatPrefix, IpSet, type Prefix, partIn, type SeenDays, setOfBlock, widened } from '../ip/index.js';
import type { Density } from '../sources/contract.js';
import type { Holding } from '../sources/holding.js';
import type { Side } from './build.js';
import { ALL_SOURCES, densify, type FromDensity } from './dense.js';

/** What one source has of a block. */
export interface Listing {
  readonly source: Pick<Holding, 'id' | 'kind' | 'direction'>;
  /** of the block; nets by density are not in it */
  readonly part: IpSet;
  /** the entry of the source that has all of the block */
  readonly entry: Prefix | undefined;
  /** of the first address of the block, where it is listed as a whole */
  readonly days: SeenDays | undefined;
  /** what else the source knows, not escaped */
  readonly details: readonly string[];
}

/** Who lists a block, whether or not it is blocked in the end. */
export interface Explained {
  readonly listings: readonly Listing[];
  /** nets with addresses of the block that are listed because so many of theirs are */
  readonly dense: readonly FromDensity[];
  /** what is listed of the block for each side, nets by density included */
  readonly listed: Readonly<Record<Side, IpSet>>;
  /** sources that listed the address in the last 90 days and do no more */
  readonly left: ReadonlyArray<{ readonly id: string; readonly days: SeenDays }>;
}

/**
 * Asks every source about a block, as a build would, of this part of the address space alone: nets by density need no more than the net around it.
 * `ofAll`: the density rule over all sources together.
 */
export function explain(block: Prefix, holdings: readonly Holding[], ofAll: Density | undefined): Explained {
  const listings: Listing[] = [];
  const dense: FromDensity[] = [];
  const left: Array<{ readonly id: string; readonly days: SeenDays }> = [];
  const parts: Readonly<Record<Side, IpSet[]>> = { in: [], out: [] };
  const whole = setOfBlock(block);
  for (const holding of holdings) {
    const part = holding.partOf(block)?.set;
    if (part !== undefined) listings.push(listingOf(holding, part, block, whole));
    else if (block.length === block.family.bits) {
      const days = holding.daysOf(block);
      if (days !== undefined) left.push({ id: holding.id, days });
    }
    const own = holding.density === undefined ? [] : denseNear(block, [holding], holding.density, holding.id);
    dense.push(...own);
    for (const side of sidesOf(holding)) {
      if (part !== undefined) parts[side].push(part);
      if (own.length > 0) parts[side].push(partsOf(own, block));
    }
  }
  if (ofAll !== undefined) {
    for (const side of ['in', 'out'] as const) {
      const nets = denseNear(
        block,
        holdings.filter((each) => sidesOf(each).includes(side)),
        ofAll,
        ALL_SOURCES,
      );
      parts[side].push(partsOf(nets, block));
      const known = new Set(dense.map(({ prefix }) => formatPrefix(prefix)));
      dense.push(...nets.filter(({ prefix }) => !known.has(formatPrefix(prefix))));
    }
  }
  return { listings, dense, listed: { in: IpSet.unionOf(parts.in), out: IpSet.unionOf(parts.out) }, left };
}

function listingOf(holding: Holding, part: IpSet, block: Prefix, whole: IpSet): Listing {
  const { id, kind, direction } = holding;
  const isWhole = part.equals(whole);
  return {
    source: { id, kind, direction },
    part,
    entry: isWhole ? holding.entryOf(block) : undefined,
    days: isWhole ? holding.daysOf(block) : undefined,
    details: holding.detailsOf(block),
  };
}

/** The nets that a rule makes of what these sources have in and around a block, as far as they touch it. */
function denseNear(block: Prefix, holdings: readonly Holding[], rules: Density, id: string): FromDensity[] {
  const rule = block.family.version === 4 ? rules.v4 : rules.v6;
  if (rule === undefined) return [];
  const around = widened(block, rule.prefix);
  const parts = holdings.map((holding) => holding.partOf(around)).filter((part) => part !== undefined);
  const set = IpSet.unionOf(parts.map((part) => part.set));
  const nodes = IpSet.unionOf(parts.map((part) => part.nodes));
  return [...densify(id, { set, nodes }, rules).nets];
}

function partsOf(nets: readonly FromDensity[], block: Prefix): IpSet {
  return partIn(IpSet.from(nets.map(({ prefix }) => prefix)), block);
}

function sidesOf({ direction }: Pick<Holding, 'direction'>): readonly Side[] {
  return direction === 'both' ? ['in', 'out'] : [direction];
}
