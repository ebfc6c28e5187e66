import { join } from 'node:path';
import { BlocklistError } from '../../errors.js';
import { age } from '../../io/figures.js';
import { readRegular } from '../../io/read.js';
import type { FetchProgress, Network } from '../contract.js';
import type { ListRequest } from '../fetcher.js';
import { type ChangeLimits, compare, refuseHtml } from '../guards.js';
import { type KeepingEnvironment, type KeptBody, KeptPart, orLastGood } from '../kept-part.js';
import { LastGood, type LastGoodMeta, type ParsedForm } from '../last-good.js';
import type { DatabaseContent } from './contract.js';
import { judgeDatabase } from './judge.js';
import type { NamedPlace } from './named-places.js';
import { ParsedFile } from './parsed-file.js';
import { type DatabaseSpec, readingKey, whereOf } from './specs.js';
import { decodeDatabase, encodeDatabase } from './table-columns.js';

export interface DatabaseEnvironment extends Omit<KeepingEnvironment, 'onBytes'> {
  /** folder of all databases; this one has a folder of its own in it */
  readonly cache: string;
  readonly progress: FetchProgress;
  readonly limits: ChangeLimits;
  /** the countries and networks that rules are made of */
  readonly named: readonly NamedPlace[];
  /** how it is asked for, for one that is an address */
  readonly request?: ListRequest;
  /** a database made longer ago counts as failing, in milliseconds */
  readonly maxAgeMs: number;
}

export const DATABASE_FORM: ParsedForm<DatabaseContent> = { encode: encodeDatabase, decode: decodeDatabase };

/** One database of a run: loaded once, however many countries ask for it. */
export class Database {
  private loaded: Promise<KeptBody<DatabaseContent>> | undefined;

  constructor(
    readonly spec: DatabaseSpec,
    private readonly environment: DatabaseEnvironment,
  ) {}

  get id(): string {
    return this.spec.id;
  }

  /** whether it comes from an address */
  get isFetched(): boolean {
    return this.spec.origin.kind === 'url';
  }

  /** whether somebody asked for it in this run */
  get isLoaded(): boolean {
    return this.loaded !== undefined;
  }

  /**
   * The database, or last good and what is wrong. Its date is the one that it gives itself, or that of the file or of its download. Who asks first decides
   * about the network.
   * @throws BlocklistError when there is neither new data that passes the guards nor last good
   */
  load(network: Network): Promise<KeptBody<DatabaseContent>> {
    this.loaded ??= this.open(network);
    return this.loaded;
  }

  /** Reads a file once, if nobody has, so that `why` need not each time. What is wrong with it is told to who asks. */
  async prepare(): Promise<void> {
    const { origin } = this.spec;
    if (origin.kind === 'url' || this.isLoaded) return;
    try {
      if (await this.parsedFile(origin.path).isKept()) return;
      await this.load('avoid');
    } catch (error) {
      if (!(error instanceof BlocklistError)) throw error;
    }
  }

  private parsedFile(path: string): ParsedFile {
    const { spec, environment } = this;
    return new ParsedFile(join(environment.cache, spec.id), readingKey(spec), path);
  }

  private async open(network: Network): Promise<KeptBody<DatabaseContent>> {
    const { origin } = this.spec;
    const body = origin.kind === 'url' ? await this.fromUrl(network) : await this.fromFile(origin.path);
    return { ...body, date: body.content.built ?? body.date };
  }

  private async fromUrl(network: Network): Promise<KeptBody<DatabaseContent>> {
    const { spec, environment } = this;
    const { progress, request } = environment;
    const where = whereOf(spec);
    const keeping = {
      where,
      lastGood: new LastGood(join(environment.cache, spec.id), DATABASE_FORM),
      reading: { key: readingKey(spec), read: (bytes: Buffer) => readFetched(spec, bytes, where) },
      maxBytes: spec.reading.maxBytes,
      judge: (content: DatabaseContent) => judgeDatabase(content, spec.reading, where),
      compare: (content: DatabaseContent, before: DatabaseContent) => this.compare(content, before),
      problemWith: (content: DatabaseContent, meta?: LastGoodMeta) => this.tooOld(content.built ?? meta?.fetched),
    };
    const onBytes = (bytes: number, total: number | undefined) => progress.advance(spec.id, bytes, total);
    const part = new KeptPart(keeping, { ...environment, onBytes });
    if (network === 'avoid' || request === undefined) return orLastGood(where, undefined, () => part.fromLastGood());
    progress.begin(spec.id);
    try {
      return await orLastGood(
        where,
        () => part.fromUrl(request),
        () => part.fromLastGood(),
      );
    } finally {
      progress.end(spec.id);
    }
  }

  private async fromFile(path: string): Promise<KeptBody<DatabaseContent>> {
    const { spec, environment } = this;
    const parsed = this.parsedFile(path);
    const used = (content: DatabaseContent, date: number) => {
      judgeDatabase(content, spec.reading, path);
      return { content, date, ...this.problemOf(content.built ?? date) };
    };
    const fresh = async (): Promise<KeptBody<DatabaseContent>> => {
      const stamp = parsed.stamp();
      const known = await parsed.of(stamp);
      if (known !== undefined) return { ...used(known, stamp.changed), state: 'fresh' };
      // Only whom the parsed form does not serve pays for the readers.
      const { readDatabase } = await import('./reading.js');
      const content = await readDatabase(spec.reading, await readRegular(path, spec.reading.maxBytes), path);
      const body = used(content, stamp.changed);
      const before = (await parsed.last())?.content;
      if (before !== undefined && environment.change === 'judge') this.compare(content, before);
      await parsed.keep(content, stamp);
      return { ...body, state: 'fresh', ...(before === undefined || isSame(before, content) ? {} : { before }) };
    };
    const last = async (): Promise<KeptBody<DatabaseContent> | undefined> => {
      const kept = await parsed.last();
      return kept && { ...used(kept.content, kept.at), state: 'kept' };
    };
    return orLastGood(path, fresh, last);
  }

  /** A database may keep its size and lose a country, which would be open then, or with `only` shut out: what is named is judged by itself, too. */
  private compare(content: DatabaseContent, before: DatabaseContent): void {
    const { spec, environment } = this;
    const { limits, named } = environment;
    const hint = `if it is right: blocklist update --accept-change ${spec.id}`;
    compare(content, before, limits, whereOf(spec), { hint });
    for (const { id, kind, label } of named) {
      const entriesIn = ({ tables }: DatabaseContent) => ({ entries: tables[kind]?.networksOf(label) ?? 0 });
      compare(entriesIn(content), entriesIn(before), limits, whereOf(spec), { hint, part: id });
    }
  }

  private problemOf(made: number | undefined): { readonly problem?: BlocklistError } {
    const problem = this.tooOld(made);
    return problem === undefined ? {} : { problem };
  }

  /** A database that nobody renews goes wrong slowly: networks are sold from one country to another. */
  private tooOld(made: number | undefined): BlocklistError | undefined {
    const { spec, environment } = this;
    const ageMs = made === undefined ? 0 : environment.now() - made;
    if (ageMs <= environment.maxAgeMs) return undefined;
    const words = `the database is ${age(ageMs)} old, older than the ${age(environment.maxAgeMs)} allowed`;
    const key = spec.reading.kinds.includes('country') ? 'country' : 'asn';
    return new BlocklistError('source-stale', words, {
      where: whereOf(spec),
      hint:
        spec.origin.kind === 'bundled'
          ? 'the one that ships with blocklist is no longer renewed: name another one, geo: {country: "https://…"}'
          : `name a newer one under geo.${key}, or raise geo.max-age`,
    });
  }
}

/** A file that was only written anew, by npm for one, is not another database. */
function isSame(one: DatabaseContent, other: DatabaseContent): boolean {
  return encodeDatabase(one, '').equals(encodeDatabase(other, ''));
}

async function readFetched(spec: DatabaseSpec, body: Buffer, where: string): Promise<DatabaseContent> {
  refuseHtml(body, where);
  const { readDatabase } = await import('./reading.js');
  return readDatabase(spec.reading, body, where);
}
