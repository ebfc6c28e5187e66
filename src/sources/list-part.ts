import { stat } from 'node:fs/promises';
import { BlocklistError } from '../errors.js';
import { readRegular } from '../io/read.js';
import type { Network } from './contract.js';
import type { ListRequest } from './fetcher.js';
import { compare, judge, requireNarrow, staleness } from './guards.js';
import { type Keeping, type KeepingEnvironment, type KeptBody, KeptPart, orLastGood } from './kept-part.js';
import { LastGood, type LastGoodMeta } from './last-good.js';
import { type ListReading, readBody } from './list-reading.js';
import { LIST_FORM, type ReadBody } from './parsed-form.js';
import { SeenFile } from './seen-file.js';

/** A body that ships with the package: last good of a host that never had the network. */
export interface Snapshot {
  readonly path: string;
  /** milliseconds since 1970 */
  readonly date: number;
}

/** Where one body comes from. */
export type PartOrigin =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'url'; readonly request: ListRequest; readonly snapshot?: Snapshot };

export interface PartEnvironment extends KeepingEnvironment {
  /** folder of the last good body */
  readonly cache: string;
  /** file of the history of its addresses */
  readonly seen: string;
}

/** One body of a list, read, and how it was come by. */
export type LoadedPart = KeptBody<ReadBody>;

/** Loads one body of a source, and falls back to the last one that passed its guards. */
export async function loadPart(
  spec: ListReading,
  origin: PartOrigin,
  environment: PartEnvironment,
  network: Network,
): Promise<LoadedPart> {
  const where = origin.kind === 'file' ? origin.path : origin.request.url;
  const part = new KeptPart(keepingOf(spec, origin, where, environment), environment);
  const ask = origin.kind === 'file' ? fromFile : () => part.fromUrl(origin.request);
  const isAsked = origin.kind === 'file' || network === 'use';
  return orLastGood(where, isAsked ? ask : undefined, async () => (await part.fromLastGood()) ?? fromSnapshot());

  async function fromFile(): Promise<LoadedPart> {
    const body = await readRegular(where, spec.maxBytes);
    const { mtimeMs } = await stat(where);
    return part.fromBody(body, mtimeMs);
  }

  async function fromSnapshot(): Promise<LoadedPart | undefined> {
    const snapshot = origin.kind === 'url' ? origin.snapshot : undefined;
    if (snapshot === undefined) return undefined;
    const content = await readBody(spec, await readRegular(snapshot.path, spec.maxBytes), where);
    judged(content, spec, where);
    return { content, state: 'bundled', date: snapshot.date };
  }
}

function keepingOf(
  spec: ListReading,
  origin: PartOrigin,
  where: string,
  { cache, seen, now }: PartEnvironment,
): Keeping<ReadBody> {
  const { format, options, member, maxBytes, limits } = spec;
  return {
    where,
    maxBytes,
    lastGood: new LastGood(cache, LIST_FORM),
    reading: {
      key: JSON.stringify({ format, options, member, maxBytes }),
      read: (body) => readBody(spec, body, where),
    },
    judge: (content) => judged(content, spec, where),
    compare: (content, before) => compare(content.report, before.report, limits, where),
    problemWith: ({ trailing }, meta) => problemWith(trailing, origin.kind === 'url' ? meta : undefined),
    replacing: async ({ content, meta }, next, at) => {
      const before = { set: content.set, at: meta.changed, until: meta.fetched };
      await new SeenFile(seen).advance(before, { set: next.set, at });
    },
  };

  /** A file is as old as its owner lets it be. */
  function problemWith(trailing: number, meta: LastGoodMeta | undefined): BlocklistError | undefined {
    const stale = meta && staleness(meta, now(), limits, where);
    if (stale !== undefined) return stale;
    if (trailing === 0) return undefined;
    const words = `${trailing} bytes of something else stand behind the packed list, which is used`;
    return new BlocklistError('source-suspect', words, {
      where,
      hint: 'often an error text of the server; tell the publisher if it stays',
    });
  }
}

function judged({ report, set }: ReadBody, { limits }: ListReading, where: string): void {
  judge(report, limits, where);
  if (limits.maxCoverage !== undefined) requireNarrow(set, limits.maxCoverage, where);
}
