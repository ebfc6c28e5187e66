import { readFile } from 'node:fs/promises';
import { type CountryResponse, Reader } from 'mmdb-lib';
import { z } from 'zod';
import { BlocklistError } from '../../errors.js';
import { type Address, formatAddress, IPV4, IPV6, type IpSet, IpSetBuilder } from '../../ip/index.js';

/** The shapes of country records: MaxMind and DB-IP nest the code, ip-location-db and IPinfo do not. */
const recordSchema = z.union([
  z.object({ country: z.object({ iso_code: z.string() }) }).transform((record) => record.country.iso_code),
  z.object({ country_code: z.string() }).transform((record) => record.country_code),
  z.object({ country: z.string() }).transform((record) => record.country),
]);

/** A country database in MaxMind's format (https://maxmind.github.io/MaxMind-DB/, version 2.0). */
export class CountryDatabase {
  private constructor(
    private readonly file: string,
    private readonly bytes: Buffer,
    private readonly reader: Reader<CountryResponse>,
  ) {}

  /** @throws BlocklistError `file-unreadable`, `bad-database` */
  static async open(file: string): Promise<CountryDatabase> {
    let bytes: Buffer;
    try {
      bytes = await readFile(file);
    } catch (cause) {
      throw new BlocklistError('file-unreadable', `cannot read the country database ${file}`, {
        where: file,
        hint: 'check paths.country-database',
        cause,
      });
    }
    try {
      const database = new CountryDatabase(file, bytes, new Reader<CountryResponse>(bytes));
      database.requireSane();
      return database;
    } catch (cause) {
      throw damaged(file, cause);
    }
  }

  /** When the database was made, milliseconds since 1970. */
  get built(): number {
    return this.reader.metadata.buildEpoch.getTime();
  }

  /** Lower-case code of the country of an address, undefined when it has none. */
  countryOf(address: Address): string | undefined {
    const { family, words } = address;
    return this.codeAt(formatAddress(family, words));
  }

  /**
   * The networks of each of `codes` (lower case), in one walk over the tree.
   * @throws BlocklistError `bad-database`
   */
  networksOf(codes: readonly string[]): Map<string, { readonly set: IpSet; readonly networks: number }> {
    const found = new Map(codes.map((code) => [code, { builder: new IpSetBuilder(), networks: 0 }]));
    /** data pointer → where its networks go: a few hundred records serve all networks */
    const places = new Map<number, (typeof hits)[number] | undefined>();
    const hits = [...found.values()];
    this.walk((pointer, words, depth) => {
      if (!places.has(pointer)) {
        const { family, first } = this.placeOf(words, depth);
        places.set(pointer, found.get(this.codeAt(formatAddress(family, first)) ?? ''));
      }
      const hit = places.get(pointer);
      if (hit === undefined) return;
      const { family, first, length } = this.placeOf(words, depth);
      hit.builder.addPrefix({ family, words: first, length });
      hit.networks++;
    });
    return new Map(
      [...found].map(([code, { builder, networks }]) => [code, { set: builder.build(), networks }] as const),
    );
  }

  private codeAt(address: string): string | undefined {
    try {
      return codeOf(this.reader.get(address));
    } catch (cause) {
      throw damaged(this.file, cause);
    }
  }

  /** The network of a leaf. The tree of a combined database holds IPv4 below ::/96 (RFC 4291 section 2.5.5.1). */
  private placeOf(words: Uint32Array, depth: number) {
    if (this.reader.metadata.ipVersion === 4) return { family: IPV4, first: words.subarray(0, 1), length: depth };
    const isV4 = depth >= 96 && words[0] === 0 && words[1] === 0 && words[2] === 0;
    if (isV4) return { family: IPV4, first: words.subarray(3, 4), length: depth - 96 };
    return { family: IPV6, first: words, length: depth };
  }

  /** Visits every leaf with data, depth first, so in numeric order. `words` is reused: do not keep it. */
  private walk(visit: (pointer: number, words: Uint32Array, depth: number) => void): void {
    const { nodeCount, ipVersion } = this.reader.metadata;
    const words = new Uint32Array(4);
    const bits = ipVersion === 4 ? 32 : 128;
    const v4Root = ipVersion === 4 ? -1 : this.v4Root();
    let visited = 0;
    const descend = (node: number, depth: number): void => {
      if (node === nodeCount) return;
      if (node > nodeCount) return visit(node, words, depth);
      // Databases alias ::ffff:0:0/96, 2002::/16 and others to the IPv4 tree: the same networks again.
      const underZero = !words[0] && !words[1] && !words[2];
      if (node === v4Root && !(depth === 96 && underZero)) return;
      // In a tree each node is met once; more means a loop, which could be walked for ever.
      if (depth === bits || ++visited > nodeCount) throw damaged(this.file, 'its search tree has loops');
      const k = depth >> 5;
      const bit = (1 << (31 - (depth & 31))) >>> 0;
      descend(this.child(node, 0), depth + 1);
      words[k] = (words[k]! | bit) >>> 0;
      descend(this.child(node, 1), depth + 1);
      words[k] = (words[k]! & ~bit) >>> 0;
    };
    descend(0, 0);
  }

  private v4Root(): number {
    let node = 0;
    for (let depth = 0; depth < 96 && node < this.reader.metadata.nodeCount; depth++) node = this.child(node, 0);
    return node < this.reader.metadata.nodeCount ? node : -1;
  }

  /** One record of a node (specification, "Node Layout"). */
  private child(node: number, side: 0 | 1): number {
    const { recordSize, nodeByteSize } = this.reader.metadata;
    const at = node * nodeByteSize;
    const { bytes } = this;
    if (recordSize === 24) return bytes.readUIntBE(at + 3 * side, 3);
    if (recordSize === 32) return bytes.readUInt32BE(at + 4 * side);
    const middle = bytes[at + 3]!;
    return side === 0
      ? ((middle >> 4) << 24) | bytes.readUIntBE(at, 3)
      : ((middle & 15) << 24) | bytes.readUIntBE(at + 4, 3);
  }

  private requireSane(): void {
    const { nodeCount, recordSize, searchTreeSize, ipVersion } = this.reader.metadata;
    const sane = [24, 28, 32].includes(recordSize) && [4, 6].includes(ipVersion) && nodeCount > 0;
    if (!sane || searchTreeSize > this.bytes.length) throw damaged(this.file, 'its metadata is not plausible');
  }
}

function codeOf(record: unknown): string | undefined {
  const checked = recordSchema.safeParse(record);
  return checked.success ? checked.data.toLowerCase() : undefined;
}

function damaged(file: string, cause: unknown): BlocklistError {
  if (cause instanceof BlocklistError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BlocklistError('bad-database', `the country database cannot be read: ${why}`, {
    where: file,
    hint: 'install the package again, or fetch the database again',
    cause,
  });
}
