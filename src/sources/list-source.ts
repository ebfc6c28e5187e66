import { stat } from 'node:fs/promises';
import { BlocklistError } from '../errors.js';
import { capped, unpacked } from '../io/gzip.js';
import { regularFileChunks } from '../io/read.js';
import type { IpSet, ListReport } from '../ip/index.js';
import type { Direction, Loaded, Network, Source } from './contract.js';
import type { FormatName } from './feeds/formats/index.js';
import { FORMATS } from './feeds/formats/index.js';
import { judge, refuseHtml, type SourceLimits } from './guards.js';
import { LastGood, type LastGoodMeta } from './last-good.js';

/** A list of lines, wherever it comes from. */
export interface ListSpec {
  readonly id: string;
  readonly direction: Direction;
  readonly format: FormatName;
  readonly minScore?: number;
  /** cap on the body, packed and unpacked, in bytes */
  readonly maxBytes: number;
  readonly limits: SourceLimits;
  readonly origin:
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 'url'; readonly url: string; readonly timeoutMs: number; readonly snapshot?: Snapshot };
}

/** A body that ships with the package: last good of a host that never had the network. */
export interface Snapshot {
  readonly path: string;
  /** milliseconds since 1970 */
  readonly date: number;
}

export interface ListEnvironment {
  /** folder of this source's last good */
  readonly cache: string;
  readonly userAgent: string;
  readonly now: () => number;
}

interface Body {
  readonly set: IpSet;
  readonly report: ListReport;
}

/** A source that reads a list from a file or an address, keeps the last body that passed, and falls back to it. */
export function listSource(spec: ListSpec, environment: ListEnvironment): Source {
  const { id, direction } = spec;
  return { id, kind: kindOf(spec), direction, load: (network) => load(spec, environment, network) };
}

async function load(spec: ListSpec, environment: ListEnvironment, network: Network): Promise<Loaded> {
  const { origin } = spec;
  const lastGood = new LastGood(environment.cache);
  try {
    if (origin.kind === 'file') return await fromFile(spec, origin.path, lastGood, environment);
    if (network === 'use') return await fromUrl(spec, origin, lastGood, environment);
  } catch (error) {
    if (!(error instanceof BlocklistError)) throw error;
    // When last good fails, too, the first failure is the one to know.
    const kept = await fromLastGood(spec, lastGood).catch(() => undefined);
    if (kept === undefined) throw error;
    return { ...kept, problem: error };
  }
  const kept = await fromLastGood(spec, lastGood);
  if (kept !== undefined) return kept;
  throw new BlocklistError('source-never-fetched', 'it was never fetched on this host', {
    where: originText(spec),
    hint: 'run: blocklist update',
  });
}

async function fromFile(
  spec: ListSpec,
  path: string,
  lastGood: LastGood,
  environment: ListEnvironment,
): Promise<Loaded> {
  const chunks: Uint8Array[] = [];
  const body = await read(spec, keepingIn(chunks, capped(regularFileChunks(path), spec.maxBytes, path)));
  const { mtimeMs } = await stat(path);
  await lastGood.keep(path, Buffer.concat(chunks), { fetched: environment.now() });
  return loaded(spec, body, 'fresh', mtimeMs);
}

async function fromUrl(
  spec: ListSpec,
  origin: Extract<ListSpec['origin'], { kind: 'url' }>,
  lastGood: LastGood,
  environment: ListEnvironment,
): Promise<Loaded> {
  // Loaded here and not at the top: a build without the network must not pay for the HTTP client.
  const { download } = await import('../io/http.js');
  const held = await lastGood.read(origin.url);
  const now = environment.now();
  const answer = await download(origin.url, {
    ...(held === undefined ? {} : { known: validators(held.meta) }),
    maxBytes: spec.maxBytes,
    timeoutMs: origin.timeoutMs,
    userAgent: environment.userAgent,
  });
  if (answer.kind === 'unchanged' && held !== undefined) {
    const body = await read(spec, once(held.body));
    await lastGood.confirm(held.meta, now);
    return loaded(spec, body, 'unchanged', now);
  }
  if (answer.kind !== 'body') throw new BlocklistError('http-failed', 'the server answered 304 to a first request');
  const body = await read(spec, once(answer.body));
  await lastGood.keep(origin.url, answer.body, { fetched: now, ...answer.validators });
  return loaded(spec, body, 'fresh', now);
}

async function fromLastGood(spec: ListSpec, lastGood: LastGood): Promise<Loaded | undefined> {
  const held = await lastGood.read(originText(spec));
  if (held !== undefined) return loaded(spec, await read(spec, once(held.body)), 'kept', held.meta.fetched);
  const snapshot = spec.origin.kind === 'url' ? spec.origin.snapshot : undefined;
  if (snapshot === undefined) return undefined;
  return loaded(spec, await read(spec, regularFileChunks(snapshot.path)), 'bundled', snapshot.date);
}

/** Every body takes the same way, last good too: the limits may be tighter today. */
async function read(spec: ListSpec, chunks: AsyncIterable<Uint8Array>): Promise<Body> {
  const where = originText(spec);
  const text = refuseHtml(unpacked(chunks, spec.maxBytes, where), where);
  const options = spec.minScore === undefined ? {} : { minScore: spec.minScore };
  const body = await FORMATS[spec.format].read(text, options);
  judge(body.report, spec.limits, where);
  return body;
}

function loaded(spec: ListSpec, { set, report }: Body, state: Loaded['state'], date: number): Loaded {
  const { entries, rejected, hostBits, samples } = report;
  return {
    id: spec.id,
    kind: kindOf(spec),
    direction: spec.direction,
    set,
    counts: { entries, rejected, hostBits, samples },
    date,
    state,
  };
}

function kindOf({ origin }: ListSpec): Loaded['kind'] {
  return origin.kind === 'file' ? 'file' : 'feed';
}

function originText({ origin }: ListSpec): string {
  return origin.kind === 'file' ? origin.path : origin.url;
}

function validators({ etag, lastModified }: LastGoodMeta) {
  return { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) };
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield body;
}

async function* keepingIn(kept: Uint8Array[], chunks: AsyncIterable<Uint8Array>) {
  for await (const chunk of chunks) {
    kept.push(chunk);
    yield chunk;
  }
}
