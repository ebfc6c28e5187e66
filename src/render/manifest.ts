import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RuleSets, SourceShare } from '../build/build.js';
import type { Policy } from '../build/policy.js';
import { countAddresses, formatPrefix, IpSet, prefixLines } from '../ip/index.js';
import { DEFAULT_POLICY } from './default-policy.js';
import { LAYOUT, namedSets } from './layout.js';

const count = z.string().regex(/^\d+$/);
const size = z.strictObject({ prefixes: z.int().min(0), addresses: count });

const ports = z.array(z.int().min(1).max(65_535));
const rate = z.strictObject({
  count: z.int().min(1).max(999_999),
  per: z.enum(['second', 'minute', 'hour', 'day']),
});

/** What the rules do beside what the lists say; what is as by default is left out. */
const policySchema = z.strictObject({
  drop: z.enum(['all', 'new']),
  ports: ports.min(1).optional(),
  skipInterfaces: z
    .array(z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}\*?$/))
    .min(1)
    .optional(),
  alsoOutbound: z.literal(true).optional(),
  log: rate.optional(),
  echoLimit: rate.optional(),
  /** everybody but the only_ sets is dropped: on these ports, or, without any, altogether */
  only: z.strictObject({ ports }).optional(),
});
export type RenderedPolicy = z.output<typeof policySchema>;

export function policyOf({ only, policy = DEFAULT_POLICY }: RuleSets): RenderedPolicy {
  const { drop, ports: to, skipInterfaces, alsoOutbound, log, echoLimit } = policy;
  return {
    drop,
    ...(to.length === 0 ? {} : { ports: [...to] }),
    ...(skipInterfaces.length === 0 ? {} : { skipInterfaces: [...skipInterfaces] }),
    ...(alsoOutbound ? { alsoOutbound } : {}),
    ...(log === undefined ? {} : { log: { count: log.count, per: log.per } }),
    ...(echoLimit === undefined ? {} : { echoLimit: { count: echoLimit.count, per: echoLimit.per } }),
    ...(only === undefined ? {} : { only: { ports: [...only.ports] } }),
  };
}

/** The policy that was rendered so. */
export function policyFrom({ drop, ports: to, skipInterfaces, alsoOutbound, log, echoLimit }: RenderedPolicy): Policy {
  return {
    drop,
    ports: to ?? [],
    skipInterfaces: skipInterfaces ?? [],
    alsoOutbound: alsoOutbound ?? false,
    log,
    echoLimit,
  };
}

/** `manifest.json`: what was rendered and from what. No time and no name of a host: the same bytes on every machine. */
export const manifestSchema = z.strictObject({
  schema: z.literal('blocklist/manifest'),
  version: z.literal(1),
  layout: z.literal(LAYOUT),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  policy: policySchema,
  sets: z.record(z.string().regex(/^((out_)?(nodes|nets)|only_nets)[46]$/), size),
  allow: z
    .array(z.strictObject({ id: z.string().regex(/^\P{C}{1,200}$/u), prefixes: z.array(z.string().max(50)) }))
    .optional(),
  sources: z.array(
    z.strictObject({
      // It becomes a path and a word in output, and what came from git or another host may hold anything.
      id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'not the id of a source'),
      kind: z.enum(['feed', 'file', 'country', 'asn', 'bans']),
      direction: z.enum(['in', 'out', 'both']),
      entries: z.int().min(0),
      addresses: z.strictObject({ v4: count, v6: count }),
      unique: z.strictObject({ v4: count, v6: count }),
    }),
  ),
});
export type Manifest = z.output<typeof manifestSchema>;

/** A list of allowed addresses, by its path beside the configuration or by the id of its feed. */
export interface AllowedList {
  readonly id: string;
  readonly set: IpSet;
}

/**
 * Who was allowed, and is in no set. A host that only loads knows of it from here. It has no part in the digest, as nothing of it is in the kernel.
 * @throws BlocklistError `bad-prefix`
 */
export function allowedIn({ allow = [] }: Pick<Manifest, 'allow'>): AllowedList[] {
  return allow.map(({ id, prefixes }) => ({ id, set: IpSet.from(prefixes) }));
}

/** The same as the manifest has it. */
export function allowText(lists: readonly AllowedList[]): NonNullable<Manifest['allow']> {
  return lists.map(({ id, set }) => ({ id, prefixes: [...set.prefixes()].map(formatPrefix) }));
}

/** The plain lists by file name: one prefix a line, numeric order. */
export function renderLists(sets: RuleSets): Map<string, Uint8Array> {
  return new Map(
    namedSets(sets).map(({ name, prefixes }) => [`${name}.txt`, prefixLines(prefixes, { before: '', after: '\n' })]),
  );
}

/** Identity of the rules: layout, policy and content of every set. The kernel's `state` set carries it. */
export function digestOf(lists: ReadonlyMap<string, Uint8Array>, policy: RenderedPolicy): string {
  const { drop, ports, skipInterfaces, alsoOutbound, log, echoLimit, only } = policy;
  const rates = [log, echoLimit].map((rate) => (rate === undefined ? null : `${rate.count}/${rate.per}`));
  // Not the object itself: whoever parsed it decides on the order of its keys.
  const facts = [drop, ports ?? [], skipInterfaces ?? [], alsoOutbound ?? false, ...rates, only?.ports ?? null];
  const hash = createHash('sha256').update(`blocklist layout ${LAYOUT} ${JSON.stringify(facts)}\n`);
  for (const [name, bytes] of lists) hash.update(`${name} ${bytes.length}\n`).update(bytes);
  return `sha256:${hash.digest('hex')}`;
}

export function manifestOf(
  sets: RuleSets,
  digest: string,
  shares: readonly SourceShare[],
  allow: readonly AllowedList[] = [],
): Manifest {
  const text = ({ v4, v6 }: { readonly v4: number; readonly v6: bigint }) => ({ v4: String(v4), v6: String(v6) });
  return {
    schema: 'blocklist/manifest',
    version: 1,
    layout: LAYOUT,
    digest,
    policy: policyOf(sets),
    sets: Object.fromEntries(
      namedSets(sets).map(({ name, prefixes }) => [
        name,
        { prefixes: prefixes.size, addresses: String(countAddresses(prefixes)) },
      ]),
    ),
    ...(allow.length === 0 ? {} : { allow: allowText(allow) }),
    sources: shares.map(({ id, kind, direction, entries, addresses, unique }) => ({
      id,
      kind,
      direction,
      entries,
      addresses: text(addresses),
      unique: text(unique),
    })),
  };
}
