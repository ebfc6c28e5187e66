import { Reader, type Response } from 'mmdb-lib';
import { z } from 'zod';
import { type Family, formatAddress, IPV4, IPV6 } from '../../../ip/index.js';
import type { Answer, DatabaseContent, DatabaseForm, GeoKind } from '../contract.js';
import { badDatabase } from '../damaged.js';
import { type GeoTable, labelOfAsn, labelOfCountry, TableBuilder } from '../table.js';
import { type Tree, treeOf, walkTree } from './mmdb-tree.js';

/** The shapes of country records: MaxMind and DB-IP nest the code, ip-location-db and IPinfo do not (IPinfo lite has the word under country). */
const countryRecord = z.union([
  z.object({ country: z.object({ iso_code: z.string() }) }).transform((record) => record.country.iso_code),
  z.object({ country_code: z.string() }).transform((record) => record.country_code),
  z.object({ country: z.string() }).transform((record) => record.country),
]);

/** The shapes of network records: MaxMind, DB-IP and ip-location-db have a number, IPinfo the text AS4134. */
const asnRecord = z.union([
  z
    .object({ autonomous_system_number: z.number(), autonomous_system_organization: z.string().optional() })
    .transform((record) => ({
      asn: String(record.autonomous_system_number),
      name: record.autonomous_system_organization,
    })),
  z
    .object({ asn: z.string(), as_name: z.string().optional(), name: z.string().optional() })
    .transform((record) => ({ asn: record.asn, name: record.as_name ?? record.name })),
]);

/** Metadata begins in the last 128 KiB (specification, "Database Metadata"). */
const METADATA_WITHIN = 1 << 17;
const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const MOST_KNOWN = 20_000;
/** Networks without a label: a pointer that was looked at, and said nothing. */
const NOTHING: Answer = { label: 0, name: '' };

/** MaxMind's binary format (https://maxmind.github.io/MaxMind-DB/, version 2.0), in the record shapes of four publishers. */
export const mmdb: DatabaseForm = {
  name: 'mmdb',
  fits: (bytes) => bytes.subarray(-METADATA_WITHIN).includes(MARKER),
  read: async (bytes, kinds, where) => guarded(where, () => read(bytes, kinds, where)),
  ask: async (bytes, kind, where) => {
    const { reader, tree } = guarded(where, () => opened(bytes, where));
    return ({ family, words }) =>
      guarded(where, () => {
        // The library would take the first 32 bits of an IPv6 address for an IPv4 address.
        if (tree.ipVersion === 4 && family === IPV6) return undefined;
        const answer = answerOf(kind, reader.get(formatAddress(family, words)));
        return answer === NOTHING ? undefined : answer;
      });
  },
};

function read(bytes: Buffer, kinds: readonly GeoKind[], where: string): DatabaseContent {
  const { reader, tree } = opened(bytes, where);
  const made = kinds.map((kind) => ({ kind, builder: new TableBuilder(kind), known: new Map<number, Answer>() }));
  const hi = new Uint32Array(4);
  let entries = 0;
  walkTree(tree, where, (pointer, words, depth) => {
    const [family, at] = placeOf(tree, words, depth);
    entries++;
    for (let k = 0; k < 4; k++) hi[k] = lastWord(words[k]!, depth - 32 * k);
    for (const { kind, builder, known } of made) {
      let answer = known.get(pointer);
      if (answer === undefined) {
        answer = answerOf(kind, reader.get(textAt(family, words, at)));
        known.set(pointer, answer);
        if (answer.name !== '' && builder.isNameless(answer.label)) builder.name(answer.label, answer.name);
      }
      if (answer !== NOTHING) builder.add(family, words, at, hi, at, answer.label);
    }
  });
  const tables = made.map(({ kind, builder }): [GeoKind, GeoTable] => [kind, builder.build().table]);
  const built = reader.metadata.buildEpoch.getTime();
  // A writer may leave the date out, or write 0.
  const date = built > 0 ? { built } : {};
  return { tables: Object.fromEntries(tables), ...date, entries, rejected: 0, samples: [] };
}

function opened(bytes: Buffer, where: string): { readonly reader: Reader<Response>; readonly tree: Tree } {
  const reader = new Reader<Response>(bytes, { cache: new RecordCache() });
  return { reader, tree: treeOf(bytes, reader.metadata, where) };
}

/**
 * What was decoded, by its place: records point to the same words again and again, and a hostile file could nest such pointers so that each
 * level doubles the work.
 */
class RecordCache {
  private readonly known = new Map<string | number, unknown>();

  get(place: string | number): unknown {
    return this.known.get(place);
  }

  set(place: string | number, value: unknown): void {
    // A database of cities has more records than are worth their memory.
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    this.known.set(place, value);
  }
}

/** Family of a leaf, and the word that its address begins at. The tree of a combined database holds IPv4 below ::/96 (RFC 4291 section 2.5.5.1). */
function placeOf({ ipVersion }: Tree, words: Uint32Array, depth: number): [family: Family, at: number] {
  if (ipVersion === 4) return [IPV4, 0];
  const isV4 = depth >= 96 && words[0] === 0 && words[1] === 0 && words[2] === 0;
  return isV4 ? [IPV4, 3] : [IPV6, 0];
}

function textAt(family: Family, words: Uint32Array, at: number): string {
  return formatAddress(family, words.subarray(at, at + family.words));
}

/** A word of the last address of a network, of whose bits `length` count in this word. */
function lastWord(word: number, length: number): number {
  return length >= 32 ? word : length <= 0 ? 0xffffffff : (word | (0xffffffff >>> length)) >>> 0;
}

function answerOf(kind: GeoKind, record: unknown): Answer {
  if (kind === 'country') {
    const label = labelOfCountry(countryRecord.safeParse(record).data ?? '');
    return label === undefined ? NOTHING : { label, name: '' };
  }
  const { asn = '', name = '' } = asnRecord.safeParse(record).data ?? {};
  const label = labelOfAsn(asn);
  return label === undefined ? NOTHING : { label, name };
}

/** What the library throws is a defect of the file. */
function guarded<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw badDatabase('it is damaged', where, cause);
  }
}
