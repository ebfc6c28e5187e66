import { BlocklistError } from '../errors.js';
import type { Loaded } from './contract.js';
import type { Fetched, Fetcher, ListRequest } from './fetcher.js';
import type { Change } from './guards.js';
import { digestOf, type Kept, type LastGood, type LastGoodMeta, type NewBody, type Reading } from './last-good.js';

export interface KeepingEnvironment {
  readonly now: () => number;
  readonly change: Change;
  readonly fetcher: Fetcher;
  readonly onBytes?: (bytes: number, total: number | undefined) => void;
}

/** How the bodies of one origin are read, judged and kept: lists of addresses, databases. */
export interface Keeping<Content> {
  /** address or path: identity of last good, and for messages */
  readonly where: string;
  readonly lastGood: LastGood<Content>;
  readonly reading: Reading<Content>;
  /** cap on the body, in bytes */
  readonly maxBytes: number;
  /** Every body takes the same way, last good too: the limits may be tighter today. @throws BlocklistError */
  judge(content: Content): void;
  /** Judges a body by what was last good before it. @throws BlocklistError */
  compare(content: Content, before: Content): void;
  /** What should be looked at in data that is used all the same. */
  problemWith(content: Content, meta?: LastGoodMeta): BlocklistError | undefined;
  /** Told before a body with another content takes the place of `before`: after a crash in between, the next run does it again. */
  replacing?(before: Kept<Content>, content: Content, at: number): Promise<void>;
}

/** One body, read, and how it was come by. */
export interface KeptBody<Content> {
  readonly content: Content;
  /** what was last good before, when another body took its place */
  readonly before?: Content;
  readonly state: Loaded['state'];
  readonly date: number;
  readonly problem?: BlocklistError;
}

/**
 * A body from the outside, or the last one that passed its guards. `fresh` is undefined when the network is to be avoided.
 * @throws BlocklistError what `fresh` failed with when nothing is kept; `source-never-fetched` when nothing is kept and nothing was asked.
 */
export async function orLastGood<Content>(
  where: string,
  fresh: (() => Promise<KeptBody<Content>>) | undefined,
  lastGood: () => Promise<KeptBody<Content> | undefined>,
): Promise<KeptBody<Content>> {
  try {
    if (fresh !== undefined) return await fresh();
  } catch (error) {
    if (!(error instanceof BlocklistError)) throw error;
    // When last good fails, too, the first failure is the one to know.
    const kept = await lastGood().catch(() => undefined);
    if (kept === undefined) throw error;
    return { ...kept, problem: worse(error, kept.problem) };
  }
  const kept = await lastGood();
  if (kept !== undefined) return kept;
  throw new BlocklistError('source-never-fetched', 'it was never fetched on this host', {
    where,
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

/** Takes bodies of one origin, keeps the newest one that passed, and hands it out. */
export class KeptPart<Content> {
  constructor(
    private readonly keeping: Keeping<Content>,
    private readonly environment: KeepingEnvironment,
  ) {}

  /** What the server has, by its own interval and validators. @throws BlocklistError as Fetcher.get and the guards */
  async fromUrl(request: ListRequest): Promise<KeptBody<Content>> {
    const { environment, keeping } = this;
    const held = await this.heldIfReadable();
    const answer = await this.asked(request, held);
    const now = environment.now();
    if (answer.kind === 'body') {
      try {
        const facts = { fetched: now, ...answer.validators };
        return await this.keep(await this.take(answer.body, held), held, facts, now);
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
    await keeping.lastGood.confirm(held.meta, now);
    return this.fromHeld({ ...held, meta: { ...held.meta, fetched: now } }, 'unchanged');
  }

  /** A body at hand that was current at `date`. @throws BlocklistError as the guards */
  async fromBody(body: Buffer, date: number): Promise<KeptBody<Content>> {
    const held = await this.heldIfReadable();
    const taken = await this.take(body, held);
    const { content } = taken;
    if (content === held?.content) return { content, state: 'fresh', date, ...this.problemOf(content) };
    return this.keep(taken, held, { fetched: this.environment.now() }, date);
  }

  /** Undefined when nothing is kept. @throws BlocklistError when it does not pass the guards of today */
  async fromLastGood(): Promise<KeptBody<Content> | undefined> {
    const held = await this.held();
    return held && this.fromHeld(held, 'kept');
  }

  private asked(request: ListRequest, held: Kept<Content> | undefined): Promise<Fetched> {
    const { onBytes, change, fetcher } = this.environment;
    const { etag, lastModified } = held?.meta ?? {};
    const { maxBytes } = this.keeping;
    const facts = { maxBytes, known: { etag, lastModified }, ...(onBytes === undefined ? {} : { onBytes }) };
    // A change is accepted now, and the refused body is not kept.
    const due = change === 'accept' ? 'now' : held === undefined ? 'unless-refused' : 'when-due';
    return fetcher.get(request, due, facts);
  }

  /** A body that the reading of today cannot read is as if nothing was kept. */
  private async heldIfReadable(): Promise<Kept<Content> | undefined> {
    try {
      return await this.held();
    } catch (error) {
      if (error instanceof BlocklistError) return undefined;
      throw error;
    }
  }

  private held(): Promise<Kept<Content> | undefined> {
    const { lastGood, where, reading } = this.keeping;
    return lastGood.read(where, reading);
  }

  private fromHeld({ meta, content }: Kept<Content>, state: Loaded['state']): KeptBody<Content> {
    this.keeping.judge(content);
    return { content, state, date: meta.fetched, ...this.problemOf(content, meta) };
  }

  /** A body by itself: read, unless it is the one that is held, and judged. */
  private async take(body: Buffer, held: Kept<Content> | undefined): Promise<NewBody<Content>> {
    const { reading } = this.keeping;
    const digest = digestOf(body);
    const content = held?.meta.digest === digest ? held.content : await reading.read(body);
    this.keeping.judge(content);
    return { body, digest, content, key: reading.key };
  }

  /** Takes a body that passed by itself: judges the change, and keeps it. */
  private async keep(
    taken: NewBody<Content>,
    held: Kept<Content> | undefined,
    facts: Parameters<LastGood<Content>['keep']>[2],
    date: number,
  ): Promise<KeptBody<Content>> {
    const { keeping, environment } = this;
    const { content } = taken;
    if (held !== undefined && environment.change === 'judge') keeping.compare(content, held.content);
    const isNew = held !== undefined && held.content !== content;
    if (isNew) await keeping.replacing?.(held, content, facts.fetched);
    const meta = await keeping.lastGood.keep(keeping.where, taken, facts);
    return {
      content,
      state: 'fresh',
      date,
      ...this.problemOf(content, meta),
      ...(isNew ? { before: held.content } : {}),
    };
  }

  private problemOf(content: Content, meta?: LastGoodMeta): { readonly problem?: BlocklistError } {
    const problem = this.keeping.problemWith(content, meta);
    return problem === undefined ? {} : { problem };
  }
}
