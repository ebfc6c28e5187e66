import { stat } from 'node:fs/promises';
import { BlocklistError } from '../errors.js';
import { readRegular } from '../io/read.js';
import type { Loaded, Network } from './contract.js';
import type { Fetcher, ListRequest } from './fetcher.js';
import type { Change } from './guards.js';
import { compare, judge, requireNarrow, staleness } from './guards.js';
import { digestOf, type Kept, LastGood, type LastGoodMeta, type NewBody, type Reading } from './last-good.js';
import { type ListReading, readBody } from './list-reading.js';
import type { ReadBody } from './parsed-form.js';
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

export interface PartEnvironment {
  /** folder of the last good body */
  readonly cache: string;
  /** file of the history of its addresses */
  readonly seen: string;
  readonly now: () => number;
  readonly change: Change;
  readonly fetcher: Fetcher;
  readonly onBytes?: (bytes: number, total: number | undefined) => void;
}

/** One body, read, and how it was come by. */
export interface LoadedPart {
  readonly content: ReadBody;
  /** what was last good before, when another body took its place */
  readonly before?: ReadBody;
  readonly state: Loaded['state'];
  readonly date: number;
  readonly problem?: BlocklistError;
}

/** Loads one body of a source, and falls back to the last one that passed its guards. */
export async function loadPart(
  spec: ListReading,
  origin: PartOrigin,
  environment: PartEnvironment,
  network: Network,
): Promise<LoadedPart> {
  const part = new ListPart(spec, origin, environment);
  try {
    if (origin.kind === 'file') return await part.fromFile(origin.path);
    if (network === 'use') return await part.fromUrl(origin.request);
  } catch (error) {
    if (!(error instanceof BlocklistError)) throw error;
    // When last good fails, too, the first failure is the one to know.
    const kept = await part.fromLastGood().catch(() => undefined);
    if (kept === undefined) throw error;
    return { ...kept, problem: worse(error, kept.problem) };
  }
  const kept = await part.fromLastGood();
  if (kept !== undefined) return kept;
  throw new BlocklistError('source-never-fetched', 'it was never fetched on this host', {
    where: part.where,
    hint: 'run: blocklist update',
  });
}

/** Why last good serves, and, when it is too old for that, how old it is. */
function worse(failure: BlocklistError, kept: BlocklistError | undefined): BlocklistError {
  if (kept?.code !== 'source-stale') return failure;
  const { where, hint } = kept;
  const detail = { ...(where && { where }), ...(hint && { hint }), cause: failure };
  return new BlocklistError('source-stale', `${failure.message}; ${kept.message}`, detail);
}

class ListPart {
  /** address or path: identity of last good, and for messages */
  readonly where: string;
  private readonly lastGood: LastGood;
  private readonly reading: Reading;

  constructor(
    private readonly spec: ListReading,
    private readonly origin: PartOrigin,
    private readonly environment: PartEnvironment,
  ) {
    this.where = origin.kind === 'file' ? origin.path : origin.request.url;
    this.lastGood = new LastGood(environment.cache);
    const { format, options, member, maxBytes } = spec;
    this.reading = {
      key: JSON.stringify({ format, options, member, maxBytes }),
      read: (body) => readBody(spec, body, this.where),
    };
  }

  async fromFile(path: string): Promise<LoadedPart> {
    const body = await readRegular(path, this.spec.maxBytes);
    const { mtimeMs } = await stat(path);
    const held = await this.heldIfReadable();
    const taken = await this.take(body, held);
    const { content } = taken;
    if (content === held?.content) return { content, state: 'fresh', date: mtimeMs, ...this.problemWith(content) };
    return this.keeping(taken, held, { fetched: this.environment.now() }, mtimeMs);
  }

  async fromUrl(request: ListRequest): Promise<LoadedPart> {
    const { environment, spec } = this;
    const held = await this.heldIfReadable();
    const { etag, lastModified } = held?.meta ?? {};
    const { maxBytes } = spec;
    const { onBytes } = environment;
    const facts = { maxBytes, known: { etag, lastModified }, ...(onBytes === undefined ? {} : { onBytes }) };
    // A change is accepted now, and the refused body is not kept.
    const due = environment.change === 'accept' ? 'now' : held === undefined ? 'unless-refused' : 'when-due';
    const answer = await environment.fetcher.get(request, due, facts);
    const now = environment.now();
    if (answer.kind === 'body') {
      try {
        return await this.keeping(
          await this.take(answer.body, held),
          held,
          { fetched: now, ...answer.validators },
          now,
        );
      } catch (error) {
        if (error instanceof BlocklistError) environment.fetcher.refuse(request.url, error);
        throw error;
      }
    }
    if (held === undefined) throw new BlocklistError('http-failed', 'the server answered 304 to a first request');
    if (answer.kind === 'not-due') {
      if (answer.refused !== undefined) throw answer.refused;
      return this.fromHeld(held, 'not-due');
    }
    await this.lastGood.confirm(held.meta, now);
    return this.fromHeld({ ...held, meta: { ...held.meta, fetched: now } }, 'unchanged');
  }

  async fromLastGood(): Promise<LoadedPart | undefined> {
    const held = await this.held();
    if (held !== undefined) return this.fromHeld(held, 'kept');
    const snapshot = this.origin.kind === 'url' ? this.origin.snapshot : undefined;
    if (snapshot === undefined) return undefined;
    const content = await this.reading.read(await readRegular(snapshot.path, this.spec.maxBytes));
    this.judged(content);
    return { content, state: 'bundled', date: snapshot.date };
  }

  /** A body that the format of today cannot read is as if nothing was kept. */
  private async heldIfReadable(): Promise<Kept | undefined> {
    try {
      return await this.held();
    } catch (error) {
      if (error instanceof BlocklistError) return undefined;
      throw error;
    }
  }

  private held(): Promise<Kept | undefined> {
    return this.lastGood.read(this.where, this.reading);
  }

  private fromHeld({ meta, content }: Kept, state: Loaded['state']): LoadedPart {
    this.judged(content);
    return { content, state, date: meta.fetched, ...this.problemWith(content, meta) };
  }

  /** A body by itself: read, unless it is the one that is held, and judged. */
  private async take(body: Buffer, held: Kept | undefined): Promise<NewBody> {
    const digest = digestOf(body);
    const content = held?.meta.digest === digest ? held.content : await this.reading.read(body);
    this.judged(content);
    return { body, digest, content, key: this.reading.key };
  }

  /** Takes a body that passed by itself: judges the change, keeps it, and writes down what came and went. */
  private async keeping(
    taken: NewBody,
    held: Kept | undefined,
    facts: Parameters<LastGood['keep']>[2],
    date: number,
  ): Promise<LoadedPart> {
    const { spec, environment, where } = this;
    const { content } = taken;
    if (held !== undefined && environment.change === 'judge') {
      compare(content.report, held.content.report, spec.limits, where);
    }
    const isNew = held !== undefined && held.content !== content;
    if (isNew) {
      const before = { set: held.content.set, at: held.meta.changed, until: held.meta.fetched };
      // Before the body is kept: after a crash in between, the next run does it again.
      await new SeenFile(environment.seen).advance(before, { set: content.set, at: facts.fetched });
    }
    const meta = await this.lastGood.keep(where, taken, facts);
    const problem = this.problemWith(content, meta);
    return { content, state: 'fresh', date, ...problem, ...(isNew ? { before: held.content } : {}) };
  }

  /** Every body takes the same way, last good too: the limits may be tighter today. */
  private judged({ report, set }: ReadBody): void {
    const { limits } = this.spec;
    judge(report, limits, this.where);
    if (limits.maxCoverage !== undefined) requireNarrow(set, limits.maxCoverage, this.where);
  }

  /** What should be looked at in data that is used all the same. A file is as old as its owner lets it be. */
  private problemWith({ trailing }: ReadBody, meta?: LastGoodMeta): { readonly problem?: BlocklistError } {
    const { origin, environment, spec } = this;
    const isFetched = origin.kind === 'url' && meta !== undefined;
    const stale = isFetched ? staleness(meta, environment.now(), spec.limits, this.where) : undefined;
    if (stale !== undefined) return { problem: stale };
    if (trailing === 0) return {};
    const words = `${trailing} bytes of something else stand behind the packed list, which is used`;
    return {
      problem: new BlocklistError('source-suspect', words, {
        where: this.where,
        hint: 'often an error text of the server; tell the publisher if it stays',
      }),
    };
  }
}
