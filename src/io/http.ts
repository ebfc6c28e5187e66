import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { BlocklistError, type ErrorDetail } from '../errors.js';
import { addressOf, isPublic, privateTarget, publicLookup } from './http-target.js';

/** What a server told of a body, to be sent back with the next request (RFC 9110 section 13.1). */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

export interface DownloadOptions {
  /** the address for messages: without the key that the real one may hold */
  readonly shown: string;
  /** validators of the body we hold; leave out to fetch in any case */
  readonly known?: Validators;
  /** sent to the first host only: a key must not follow a redirect elsewhere */
  readonly headers?: Readonly<Record<string, string>>;
  /** whether the host of the address may be private or loopback: only when the configuration names it */
  readonly target: 'public' | 'any';
  /** cap on the body as transferred, in bytes */
  readonly maxBytes: number;
  /** for the whole exchange, redirects included */
  readonly timeoutMs: number;
  /** bytes so far, and all of them where the server says so */
  readonly onBytes?: (bytes: number, total: number | undefined) => void;
}

export type Download =
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'body';
      /** as sent: still packed when the server packs */
      readonly body: Buffer;
      readonly validators: Validators;
    };

/** An exchange that failed, with what decides when to ask again. */
export class HttpFailure extends BlocklistError {
  /** the answer's status, when there was an answer */
  readonly status: number | undefined;
  /** what Retry-After asks for, in milliseconds from now (RFC 9110 section 10.2.3) */
  readonly retryAfterMs: number | undefined;
  /** ECONNREFUSED, ENOTFOUND…, when there was none */
  readonly network: string | undefined;

  constructor(
    message: string,
    detail: ErrorDetail,
    facts: { readonly status?: number; readonly retryAfterMs?: number | undefined; readonly network?: string } = {},
  ) {
    super('http-failed', message, detail);
    this.status = facts.status;
    this.retryAfterMs = facts.retryAfterMs;
    this.network = facts.network;
  }
}

const MOST_REDIRECTS = 5;

/** The connections of one run: at most one to each host, through the proxy of the environment where it names one. */
export class HttpClient {
  private readonly agents: Readonly<Record<DownloadOptions['target'], EnvHttpProxyAgent>>;

  constructor(
    private readonly userAgent: string,
    env: Readonly<Record<string, string | undefined>>,
  ) {
    const proxies = {
      httpProxy: env.http_proxy ?? env.HTTP_PROXY ?? '',
      httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? '',
      noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
      connections: 1,
    };
    this.agents = {
      any: new EnvHttpProxyAgent(proxies),
      public: new EnvHttpProxyAgent({ ...proxies, connect: { lookup: publicLookup } }),
    };
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await Promise.all([this.agents.any.destroy(), this.agents.public.destroy()]);
  }

  /**
   * Fetches a URL with a conditional GET.
   * @throws HttpFailure (network, time, status), BlocklistError `http-refused` (redirects and targets we do not follow), `too-large`.
   */
  async download(url: string, options: DownloadOptions): Promise<Download> {
    const first = new URL(url);
    const signal = AbortSignal.timeout(options.timeoutMs);
    let current = first;
    let { shown } = options;
    try {
      for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
        const isNamed = current.hostname === first.hostname;
        const target = isNamed ? options.target : 'public';
        const address = addressOf(current);
        if (target === 'public' && address !== undefined && !isPublic(address)) {
          throw privateTarget(current.hostname, address, shown);
        }
        const headers = headersFor(this.userAgent, options, isNamed ? (options.headers ?? {}) : {});
        const answer = await request(current, { method: 'GET', headers, signal, dispatcher: this.agents[target] });
        const { statusCode } = answer;
        if (statusCode >= 300 && statusCode < 400 && statusCode !== 304) {
          const to = redirectTarget(current, answer, shown);
          await answer.body.dump();
          if (to.href !== current.href) shown = to.href;
          current = to;
          continue;
        }
        if (statusCode === 304 && options.known !== undefined) {
          await answer.body.dump();
          return { kind: 'unchanged' };
        }
        if (statusCode !== 200) {
          // Without a listener the abort of an unread body would end the whole process.
          answer.body.on('error', () => undefined).destroy();
          throw refused(answer, shown);
        }
        const body = await collect(answer, options, shown);
        return { kind: 'body', body, validators: validatorsOf(answer) };
      }
    } catch (cause) {
      throw cause instanceof BlocklistError ? cause : networkFailure(shown, cause, options.timeoutMs);
    }
    throw new BlocklistError('http-refused', `more than ${MOST_REDIRECTS} redirects`, {
      where: options.shown,
      hint: 'put the final address into the configuration',
    });
  }
}

function headersFor(
  userAgent: string,
  { known }: DownloadOptions,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  const headers: Record<string, string> = {
    'user-agent': userAgent,
    'accept-encoding': 'gzip',
    accept: '*/*',
    ...more,
  };
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

function redirectTarget(from: URL, answer: Dispatcher.ResponseData, where: string): URL {
  const location = headerOf(answer, 'location');
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new HttpFailure('the server redirects to nowhere', { where, hint: 'open the address in a browser' });
  }
  const target = new URL(location, from);
  if (target.protocol !== 'https:' && !(target.protocol === 'http:' && from.protocol === 'http:')) {
    throw new BlocklistError('http-refused', `refused the redirect from ${from.protocol} to ${target.protocol}`, {
      where,
      hint: 'a list fetched over https must not arrive over something anyone on the way can change',
    });
  }
  return target;
}

function refused(answer: Dispatcher.ResponseData, where: string): HttpFailure {
  const { statusCode: status } = answer;
  const hints: Readonly<Record<number, string>> = {
    401: 'it wants a key: name one with key-file',
    403: 'it does not serve this host: it may want a key, a contact (fetch.contact), or no servers at all',
    404: 'the list has moved or ended: blocklist feeds show tells what is known',
    429: 'it was asked too often; it is left alone for a while',
  };
  const hint = hints[status] ?? (status >= 500 ? 'try again later' : 'open the address in a browser');
  const retryAfterMs = retryAfter(headerOf(answer, 'retry-after'));
  return new HttpFailure(`the server answered ${status}`, { where, hint }, { status, retryAfterMs });
}

/** Seconds or a date; anything else says nothing. */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

async function collect(
  answer: Dispatcher.ResponseData,
  { maxBytes, onBytes }: DownloadOptions,
  where: string,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const length = headerOf(answer, 'content-length');
  const promised = length === undefined ? undefined : Number(length);
  for await (const chunk of answer.body) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > maxBytes) {
      throw new BlocklistError('too-large', `the body is larger than ${maxBytes.toLocaleString('en')} bytes`, {
        where,
        hint: 'check the address, or raise max-bytes for this source',
      });
    }
    chunks.push(bytes);
    onBytes?.(size, promised);
  }
  if (promised !== undefined && promised !== size) {
    throw new HttpFailure(`the body ended after ${size} of ${promised} bytes`, { where, hint: 'try again later' });
  }
  return Buffer.concat(chunks);
}

function networkFailure(where: string, cause: unknown, timeoutMs: number): HttpFailure {
  const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
  const detail = cause instanceof Error ? cause.message || cause.name : String(cause);
  const what = timedOut ? `no complete answer within ${timeoutMs / 1000} s` : detail;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  const facts = { network: timedOut ? 'timeout' : code };
  return new HttpFailure(what, { where, hint: 'try again later; last good is kept', cause }, facts);
}
