import type { LocalEntry } from '../apply/local-entries.js';
import type { Side } from '../build/build.js';
import type { Explained } from '../build/explain.js';
import { IpSet, type Prefix, partIn, setOfBlock } from '../ip/index.js';
import type { SetName } from '../render/layout.js';
import type { RenderedPolicy } from '../render/manifest.js';
import type { Network } from '../sources/geo/lookup.js';
import type { HostHits } from './host-hits.js';

/** Somebody says that these addresses are never blocked. */
export interface Spared {
  readonly by: 'special-purpose' | 'never-block' | 'allow-file' | 'allow-feed' | 'loaded-rules';
  /** the range, `file:line`, or the id of the feed or list */
  readonly where: string;
  readonly entry: Prefix | undefined;
  /** its name or comment, not escaped; empty for none */
  readonly words: string;
  /** of the block asked for */
  readonly part: IpSet;
}

/** Prefixes of one set of the rules that have addresses of a block. */
export interface RuleHit {
  readonly set: SetName;
  readonly side: Side;
  readonly prefixes: number;
  /** where it is one */
  readonly element: Prefix | undefined;
  readonly part: IpSet;
}

/** Somebody whom this host must reach: of `local.admins`, its own, a gateway. */
export interface LetThrough {
  readonly prefix: Prefix;
  readonly what: string;
}

/** What of a block may not connect, since it is in none of the countries that alone may. */
export interface KeptOut {
  readonly part: IpSet;
  /** where; none: anywhere */
  readonly ports: readonly number[];
}

/** All that is known of a block. */
export interface WhyFacts {
  readonly block: Prefix;
  /** undefined when the rules cannot be read */
  readonly rules: readonly RuleHit[] | undefined;
  /** unknown when that cannot be read */
  readonly keptOut: KeptOut | 'unknown' | undefined;
  /** whether what is sent to those that are listed as senders is dropped, too */
  readonly alsoOutbound: boolean;
  readonly explained: Explained;
  readonly spared: readonly Spared[];
  /** decisions of a person on this host, that touch the block */
  readonly decisions: readonly LocalEntry[];
  readonly letThrough: readonly LetThrough[];
  /** whether the kernel holds it where it holds other rules; undefined when that was not asked */
  readonly inKernel: boolean | undefined;
  /** of the last days; undefined for none, and for blocks of many */
  readonly hits: HostHits | undefined;
  readonly country: string | undefined;
  readonly network: Network | undefined;
}

/** The rules that answers are about. */
export interface RulesState {
  /** undefined when there are none, or they cannot be read */
  readonly digest: string | undefined;
  readonly policy: RenderedPolicy | undefined;
  /** when they were built, milliseconds since 1970; undefined when another host built them */
  readonly built: number | undefined;
  /** unknown: this user may not ask the kernel */
  readonly loaded: 'these' | 'others' | 'none' | 'unknown';
  /** when the data of a source was current, milliseconds since 1970 */
  readonly dateOf: (id: string) => number | undefined;
}

/** all: every address of the block; some: a part of them; none */
export type Extent = 'all' | 'some' | 'none';

/** What becomes of packets from and to a block. */
export interface Answer extends WhyFacts {
  readonly keptOut: KeptOut | undefined;
  readonly blocked: Readonly<Record<Side, IpSet>>;
  readonly extent: Readonly<Record<Side, Extent>>;
  /** of both sides the one of which more is blocked; unknown where only the rules, which cannot be read, could tell */
  readonly verdict: 'blocked' | 'partly' | 'free' | 'unknown';
  /** who decides about it: by hand here before the rules, and of these the one that lets through */
  readonly decidedBy: 'allowed-here' | 'let-through' | 'banned-here' | 'rules' | 'nobody';
}

/** The order of the rules in the kernel: what is allowed here, what is banned here (senders only), what is listed. */
export function answerOf(facts: WhyFacts): Answer {
  const { block, rules = [], decisions, letThrough, spared } = facts;
  const keptOut = facts.keptOut === 'unknown' ? undefined : facts.keptOut;
  const of = (prefixes: readonly Prefix[]) =>
    prefixes.length === 0 ? IpSet.empty : partIn(IpSet.from(prefixes), block);
  const prefixesOf = (what: LocalEntry['what']) =>
    decisions.filter((entry) => entry.what === what).map(({ prefix }) => prefix);
  const allowed = of(prefixesOf('allow'));
  // What lists and feeds allow is taken out of every ban with the next apply.
  const allowedForAll = IpSet.unionOf(spared.filter(({ by }) => by.startsWith('allow-')).map(({ part }) => part));
  const banned = of(prefixesOf('ban')).subtract(allowedForAll);
  const through = of(letThrough.map(({ prefix }) => prefix));
  const open = allowed.union(through);
  const ruled = (side: Side) => IpSet.unionOf(rules.filter((hit) => hit.side === side).map(({ part }) => part));
  const outside = keptOut?.part.subtract(open) ?? IpSet.empty;
  const isAnywhere = keptOut?.ports.length === 0;
  const blocked = {
    in: ruled('in')
      .union(banned)
      .union(isAnywhere ? outside : IpSet.empty)
      .subtract(open),
    out: ruled('out')
      .union(facts.alsoOutbound ? ruled('in') : IpSet.empty)
      .subtract(open),
  };
  const whole = setOfBlock(block);
  const extent = { in: extentOf(blocked.in, whole), out: extentOf(blocked.out, whole) };
  const extents = Object.values(extent);
  // Who is let through here is let through whatever the rules are.
  const isOpen = whole.subtract(open).isEmpty;
  const isBanned = !banned.isEmpty && (rules.length === 0 || whole.subtract(banned).isEmpty);
  const isUnknown = facts.rules === undefined || facts.keptOut === 'unknown';
  const none = isUnknown && !isOpen ? 'unknown' : 'free';
  return {
    ...facts,
    keptOut: keptOut && !outside.isEmpty ? { ...keptOut, part: outside } : undefined,
    blocked,
    extent,
    verdict: extents.includes('all') ? 'blocked' : extents.includes('some') ? 'partly' : none,
    decidedBy: !allowed.isEmpty
      ? 'allowed-here'
      : !through.isEmpty
        ? 'let-through'
        : isBanned
          ? 'banned-here'
          : rules.length > 0 || (isAnywhere && !outside.isEmpty)
            ? 'rules'
            : 'nobody',
  };
}

function extentOf(part: IpSet, whole: IpSet): Extent {
  return part.isEmpty ? 'none' : part.equals(whole) ? 'all' : 'some';
}

/** How many addresses of the family of a block a set has. */
export function countIn(set: IpSet, { family }: Prefix): bigint {
  return set.of(family).count();
}
