import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { IpSet, parsePrefix } from '../ip/index.js';
import type { LocalElement } from '../render/commands.js';
import {
  FAMILY,
  type KernelName,
  LAYOUT,
  LOCAL_SETS,
  type LocalSetName,
  type Names,
  SEEN_SETS,
  SET_NAMES,
  STATE,
  TABLE,
} from '../render/layout.js';
import { hookText, ruleGist } from './gist.js';

/** An element with a timeout: whole seconds until it goes. */
const timedSchema = z.object({ elem: z.looseObject({ expires: z.number().optional() }) });

/** Objects of `nft -j list`; those of other kinds pass unread. Elements are checked one by one as they are taken. */
const objectSchema = z.looseObject({
  table: z.looseObject({ family: z.string(), name: z.string(), flags: z.unknown().optional() }).optional(),
  set: z
    .looseObject({
      family: z.string(),
      table: z.string(),
      name: z.string(),
      type: z.unknown(),
      flags: z.array(z.string()).optional(),
      comment: z.string().optional(),
      // Not z.array: there may be a million of them, which are checked one by one as they are taken.
      elem: z.custom<readonly unknown[]>(Array.isArray).optional(),
    })
    .optional(),
  chain: z
    .looseObject({
      family: z.string(),
      table: z.string(),
      name: z.string(),
      hook: z.string().optional(),
      prio: z.int().optional(),
      policy: z.string().optional(),
    })
    .optional(),
  rule: z
    .looseObject({ family: z.string(), table: z.string(), chain: z.string(), expr: z.array(z.unknown()) })
    .optional(),
  counter: z
    .looseObject({ family: z.string(), table: z.string(), name: z.string(), packets: z.int(), bytes: z.int() })
    .optional(),
});
const listingSchema = z.object({ nftables: z.array(objectSchema) });

export interface LiveChain {
  /** `prerouting -310 accept`, or `no hook` */
  readonly hook: string;
  /** each rule by what it does, see ruleGist */
  readonly rules: readonly string[];
}

/** Our table as it is in the kernel. */
export interface LiveTable {
  /** whether its rules are asked: no flag such as `dormant` is set */
  readonly isActive: boolean;
  /** digest of what was loaded last; undefined when the table was made by hand, by another version, or a change was cut off */
  readonly digest: string | undefined;
  /** where the rules look for each set */
  readonly names: Names;
  /** addresses of every set of addresses by its name in the kernel; empty when they were not read */
  readonly sets: ReadonlyMap<string, IpSet>;
  /** elements of the host-local sets that are there */
  readonly local: ReadonlyMap<LocalSetName, readonly LocalElement[]>;
  /** kind of every set but `state`: `ipv4_addr`, `ipv6_addr interval`; the name of another type as it is */
  readonly kinds: ReadonlyMap<string, string>;
  readonly chains: ReadonlyMap<string, LiveChain>;
  /** named counters that are there */
  readonly counters: ReadonlyMap<string, Count>;
}

export interface Count {
  readonly packets: number;
  readonly bytes: number;
}

/**
 * Reads what `nft -j list …` prints: our table in it, undefined when it is not there. Without elements in the listing, all sets are empty: for
 * such a short one, compiling the schema takes longer than using it as it is.
 * @throws BlocklistError `nft-refused` for anything else.
 */
export function parseListing(json: string, holds: 'elements' | 'no elements' = 'elements'): LiveTable | undefined {
  return read(() => readTable(listingSchema.parse(JSON.parse(json), { jitless: holds === 'no elements' }).nftables));
}

function read<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const why =
      cause instanceof z.ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : String(cause);
    throw new BlocklistError('nft-refused', `nft printed something unexpected: ${why}`, {
      where: `nft -j list table ${FAMILY} ${TABLE}`,
      hint: 'report this with the output of nft --version',
      cause,
    });
  }
}

const DIGEST = new RegExp(`^blocklist layout ${LAYOUT} (sha256:[0-9a-f]{64})$`);
const isOurs = (object: { readonly family: string; readonly table: string } | undefined) =>
  object?.family === FAMILY && object.table === TABLE;

function readTable(objects: z.output<typeof listingSchema>['nftables']): LiveTable | undefined {
  const sets = new Map<string, IpSet>();
  const local = new Map<LocalSetName, LocalElement[]>();
  const kinds = new Map<string, string>();
  const chains = new Map<string, { hook: string; rules: string[] }>();
  let [isPresent, isActive] = [false, true];
  let digest: string | undefined;
  const counters = new Map<string, Count>();
  for (const { table, set, chain, rule, counter } of objects) {
    if (table?.family === FAMILY && table.name === TABLE) {
      isPresent = true;
      isActive = table.flags === undefined;
    }
    if (set !== undefined && isOurs(set)) {
      if (set.name === STATE) digest = DIGEST.exec(set.comment ?? '')?.[1];
      else {
        const type = typeof set.type === 'string' ? set.type : JSON.stringify(set.type);
        // Not all versions tell that a set is dynamic.
        kinds.set(set.name, kindOf(type, set.flags ?? []));
        const elements = set.elem ?? [];
        const isListed = (type === 'ipv4_addr' || type === 'ipv6_addr') && !isSeen(set.name);
        if (isListed) sets.set(set.name, IpSet.from(elements.map(elementText)));
        if (isLocalName(set.name)) local.set(set.name, elements.map(localElement));
      }
    }
    if (chain !== undefined && isOurs(chain)) chains.set(chain.name, { hook: hookText(chain), rules: [] });
    if (rule !== undefined && isOurs(rule)) chains.get(rule.chain)?.rules.push(ruleGist(rule.expr));
    if (counter !== undefined && isOurs(counter)) {
      const { name, packets, bytes } = counter;
      counters.set(name, { packets, bytes });
    }
  }
  if (!isPresent) return undefined;
  return { isActive, digest, names: resolved(chains), sets, local, kinds, chains, counters };
}

/** Reads what `nft -j list set` prints of a host-local set. @throws as parseListing. */
export function parseSet(json: string, name: LocalSetName): LocalElement[] {
  return parseElements(json, name, localElement);
}

/** Reads what `nft -j list set` prints, element by element; what `of` throws is something unexpected, too. @throws as parseListing. */
export function parseElements<T>(json: string, name: string, of: (element: unknown) => T): T[] {
  return read(() => {
    const { nftables } = listingSchema.parse(JSON.parse(json));
    return (nftables.find(({ set }) => set?.name === name)?.set?.elem ?? []).map(of);
  });
}

function isSeen(name: string): boolean {
  return (SEEN_SETS as readonly string[]).includes(name);
}

/** `ipv4_addr interval timeout`; that rules fill a set is told by some versions of nft only. */
export function kindOf(type: string, flags: readonly string[]): string {
  return [type, ...flags.filter((flag) => flag !== 'dynamic')].join(' ');
}

function isLocalName(name: string): name is LocalSetName {
  return (LOCAL_SETS as readonly string[]).includes(name);
}

/** The rules tell where a set is: `nodes4`, or `nodes4_b` after a load that filled it beside. */
function resolved(chains: LiveTable['chains']): Names {
  const rules = [...chains.values()].flatMap((chain) => chain.rules).join('\n');
  const second = new Set(SET_NAMES.filter((name) => new RegExp(`@${name}_b\\b`).test(rules)));
  return (name): KernelName => (second.has(name) ? `${name}_b` : name);
}

/** By hand, as zod would take half a second for the largest real sets: a string, or an object with exactly one of the known keys. */
export function elementText(element: unknown): string {
  if (typeof element === 'string') return element;
  if (isObject(element)) {
    const { prefix, range, elem } = element;
    if (isObject(prefix) && typeof prefix.addr === 'string' && Number.isInteger(prefix.len)) {
      return `${prefix.addr}/${prefix.len}`;
    }
    if (Array.isArray(range) && range.length === 2 && range.every((end) => typeof end === 'string')) {
      return range.join('-');
    }
    if (isObject(elem) && !isObject(elem.elem)) return elementText(elem.val);
  }
  throw new TypeError(`an element of a form that is not known: ${JSON.stringify(element).slice(0, 100)}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** An element of a host-local set; a range that is no prefix, which only a hand can have put there, becomes its first address. */
function localElement(element: unknown): LocalElement {
  const [text = ''] = elementText(element).split('-');
  const timed = timedSchema.safeParse(element);
  return { prefix: parsePrefix(text), seconds: timed.success ? timed.data.elem.expires : undefined };
}
