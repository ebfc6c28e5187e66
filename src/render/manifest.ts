import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RuleSets, SourceShare } from '../build/build.js';
import { countAddresses, formatPrefix, IpSet, prefixLines } from '../ip/index.js';
import { LAYOUT, namedSets } from './layout.js';

const count = z.string().regex(/^\d+$/);
const size = z.strictObject({ prefixes: z.int().min(0), addresses: count });

/** What the rules do beside what the lists say. */
const policySchema = z.strictObject({
  drop: z.literal('all'),
  /** everybody but the only_ sets is dropped: on these ports, or, without any, altogether */
  only: z.strictObject({ ports: z.array(z.int().min(1).max(65_535)) }).optional(),
});
export type Policy = z.output<typeof policySchema>;

export function policyOf({ only }: RuleSets): Policy {
  return { drop: 'all', ...(only === undefined ? {} : { only: { ports: [...only.ports] } }) };
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
export function digestOf(lists: ReadonlyMap<string, Uint8Array>, { drop, only }: Policy): string {
  const ports = only === undefined ? '' : ` only ports ${only.ports.join(',') || 'all'}`;
  const hash = createHash('sha256').update(`blocklist layout ${LAYOUT} drop ${drop}${ports}\n`);
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
