import { type Dispatcher, request } from 'undici';
import { BlocklistError } from '../errors.js';

/** What a server told of a body, to be sent back with the next request (RFC 9110 section 13.1). */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

export interface DownloadOptions {
  /** validators of the body we hold; leave out to fetch in any case */
  readonly known?: Validators;
  /** cap on the body as transferred, in bytes */
  readonly maxBytes: number;
  /** for the whole exchange, redirects included */
  readonly timeoutMs: number;
  readonly userAgent: string;
}

export type Download =
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'body';
      /** as sent: still packed when the server packs */
      readonly body: Buffer;
      readonly validators: Validators;
      /** where it came from in the end */
      readonly url: string;
    };

const MOST_REDIRECTS = 5;

/**
 * Fetches a URL with a conditional GET.
 * @throws BlocklistError `http-failed` (network, time, status), `http-refused` (redirects we do not follow), `too-large`.
 */
export async function download(url: string, options: DownloadOptions): Promise<Download> {
  const signal = AbortSignal.timeout(options.timeoutMs);
  let current = new URL(url);
  try {
    for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
      const answer = await request(current, { method: 'GET', headers: headersFor(options), signal });
      const { statusCode } = answer;
      if (statusCode >= 300 && statusCode < 400 && statusCode !== 304) {
        current = redirectTarget(current, answer);
        await answer.body.dump();
        continue;
      }
      if (statusCode === 304 && options.known !== undefined) {
        await answer.body.dump();
        return { kind: 'unchanged' };
      }
      if (statusCode !== 200) {
        // Without a listener the abort of an unread body would end the whole process.
        answer.body.on('error', () => undefined).destroy();
        throw failed(current, `the server answered ${statusCode}`, 'open the address in a browser');
      }
      const body = await collect(answer, options.maxBytes, current);
      return { kind: 'body', body, validators: validatorsOf(answer), url: current.href };
    }
  } catch (cause) {
    if (cause instanceof BlocklistError) throw cause;
    throw networkFailure(current, cause, options.timeoutMs);
  }
  throw new BlocklistError('http-refused', `more than ${MOST_REDIRECTS} redirects`, {
    where: url,
    hint: 'put the final address into the configuration',
  });
}

function headersFor({ known, userAgent }: DownloadOptions): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': userAgent, 'accept-encoding': 'gzip', accept: '*/*' };
  if (known?.etag !== undefined) headers['if-none-match'] = known.etag;
  if (known?.lastModified !== undefined) headers['if-modified-since'] = known.lastModified;
  return headers;
}

function headerOf(answer: Dispatcher.ResponseData, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function validatorsOf(answer: Dispatcher.ResponseData): Validators {
  const etag = headerOf(answer, 'etag');
  const lastModified = headerOf(answer, 'last-modified');
  return { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) };
}

function redirectTarget(from: URL, answer: Dispatcher.ResponseData): URL {
  const location = headerOf(answer, 'location');
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw failed(from, 'the server redirects to nowhere', 'open the address in a browser');
  }
  const target = new URL(location, from);
  if (target.protocol !== 'https:' && !(target.protocol === 'http:' && from.protocol === 'http:')) {
    throw new BlocklistError('http-refused', `refused the redirect from ${from.protocol} to ${target.protocol}`, {
      where: from.href,
      hint: 'a list fetched over https must not arrive over something anyone on the way can change',
    });
  }
  return target;
}

async function collect(answer: Dispatcher.ResponseData, maxBytes: number, url: URL): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > maxBytes) {
      throw new BlocklistError('too-large', `the body is larger than ${maxBytes.toLocaleString('en')} bytes`, {
        where: url.href,
        hint: 'check the address, or raise max-bytes for this source',
      });
    }
    chunks.push(bytes);
  }
  const promised = Number(headerOf(answer, 'content-length') ?? size);
  if (promised !== size) throw failed(url, `the body ended after ${size} of ${promised} bytes`, 'try again later');
  return Buffer.concat(chunks);
}

function failed(url: URL, what: string, hint: string): BlocklistError {
  return new BlocklistError('http-failed', what, { where: url.href, hint });
}

function networkFailure(url: URL, cause: unknown, timeoutMs: number): BlocklistError {
  const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
  const detail = cause instanceof Error ? cause.message || cause.name : String(cause);
  const what = timedOut ? `no complete answer within ${timeoutMs / 1000} s` : detail;
  return new BlocklistError('http-failed', what, {
    where: url.href,
    hint: 'try again later; last good is kept',
    cause,
  });
}
