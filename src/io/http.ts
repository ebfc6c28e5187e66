import type { Socket } from 'node:net';
import { buildConnector, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { BlocklistError } from '../errors.js';
import { grouped } from './figures.js';
import { HttpFailure, networkFailure, refused } from './http-failure.js';
import { isLoopback, proxyFor } from './http-proxy.js';
import { isSameServer, redirectTarget } from './http-redirect.js';
import { addressOf, isPublic, privateTarget, publicLookup } from './http-target.js';

/** What a server told of a body, to be sent back with the next request (RFC 9110 section 13.1). */
export interface Validators {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
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

/** What is sent to a server that the configuration names. */
export interface SendOptions {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** cap on the answer */
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

const MOST_REDIRECTS = 5;

/** The connections of one run: at most one to each host, through the proxy of the environment where it names one. */
export class HttpClient {
  private readonly agents = new Map<string, EnvHttpProxyAgent>();
  private readonly sockets = new Set<Socket>();

  constructor(
    private readonly userAgent: string,
    private readonly env: Readonly<Record<string, string | undefined>>,
  ) {}

  /** Ends all connections, those that are still being made, too. */
  async close(): Promise<void> {
    const closing = [...this.agents.values()].map((agent) => agent.destroy());
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(closing);
  }

  /** Made when it is needed: a proxy that is written wrongly fails the sources that go through it. */
  private agentFor(url: URL, target: DownloadOptions['target']): EnvHttpProxyAgent {
    const key = `${url.protocol} ${target} ${isLoopback(url)}`;
    const held = this.agents.get(key);
    if (held !== undefined) return held;
    const { env, sockets } = this;
    const connector = buildConnector(target === 'public' ? { lookup: publicLookup } : {});
    const proxy = proxyFor(url, env);
    const agent = new EnvHttpProxyAgent({
      httpProxy: proxy,
      httpsProxy: proxy,
      noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
      connections: 1,
      // Most proxies make tunnels to the port of https alone.
      proxyTunnel: url.protocol === 'https:',
      connect: (options, callback) => {
        const socket = connector(options, callback) as unknown as Socket;
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      },
    });
    this.agents.set(key, agent);
    return agent;
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
        const target = current.hostname === first.hostname ? options.target : 'public';
        const address = addressOf(current);
        if (target === 'public' && address !== undefined && !isPublic(address)) {
          throw privateTarget(current.hostname, address, shown);
        }
        const headers = headersFor(
          this.userAgent,
          options,
          isSameServer(current, first) ? (options.headers ?? {}) : {},
        );
        const dispatcher = this.agentFor(current, target);
        const answer = await inTime(request(current, { method: 'GET', headers, signal, dispatcher }), signal);
        const { statusCode } = answer;
        if (statusCode >= 300 && statusCode < 400 && statusCode !== 304) {
          discard(answer);
          const to = redirectTarget(current, headerOf(answer, 'location'), shown);
          // A server may lead anywhere with the key that it was asked with.
          if (to.href !== current.href && options.shown === url) shown = to.href;
          current = to;
          continue;
        }
        if (statusCode === 304 && (options.known?.etag ?? options.known?.lastModified) !== undefined) {
          await answer.body.dump();
          return { kind: 'unchanged' };
        }
        if (statusCode !== 200) {
          discard(answer);
          throw refused(statusCode, headerOf(answer, 'retry-after'), shown);
        }
        const body = await collect(answer, options, shown);
        return { kind: 'body', body, validators: validatorsOf(answer) };
      }
    } catch (cause) {
      throw cause instanceof BlocklistError ? cause : networkFailure(current, shown, cause, options.timeoutMs);
    }
    throw new BlocklistError('http-refused', `more than ${MOST_REDIRECTS} redirects`, {
      where: options.shown,
      hint: 'put the final address into the configuration',
    });
  }

  /**
   * Asks a server once and gives what it answered. A redirect is a failure: what is sent here must not arrive anywhere else.
   * @throws HttpFailure (network, time, any status but 2xx), BlocklistError `too-large`.
   */
  async send(url: string, { method, headers, body, maxBytes, timeoutMs }: SendOptions): Promise<Buffer> {
    const target = new URL(url);
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const dispatcher = this.agentFor(target, 'any');
      const all = { 'user-agent': this.userAgent, accept: '*/*', ...headers };
      const sent = request(target, { method, headers: all, signal, dispatcher, body: body ?? null });
      const answer = await inTime(sent, signal);
      if (answer.statusCode >= 200 && answer.statusCode < 300) return await collect(answer, { maxBytes }, url);
      discard(answer);
      throw refused(answer.statusCode, headerOf(answer, 'retry-after'), url);
    } catch (cause) {
      throw cause instanceof BlocklistError ? cause : networkFailure(target, url, cause, timeoutMs);
    }
  }
}

/** Ends an answer whose body nobody wants; it may be without end. */
function discard(answer: Dispatcher.ResponseData): void {
  // Without a listener the abort of an unread body would end the whole process.
  answer.body.on('error', () => undefined).destroy();
}

/** undici looks at the signal only once it is connected; a server or proxy that takes the connection and says nothing must not hold the night. */
function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
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

async function collect(
  answer: Dispatcher.ResponseData,
  { maxBytes, onBytes }: Pick<DownloadOptions, 'maxBytes' | 'onBytes'>,
  where: string,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const length = headerOf(answer, 'content-length');
  const promised = length === undefined ? undefined : Number(length);
  if (promised !== undefined && promised > maxBytes) {
    discard(answer);
    throw tooLarge(maxBytes, where);
  }
  for await (const chunk of answer.body) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > maxBytes) throw tooLarge(maxBytes, where);
    chunks.push(bytes);
    onBytes?.(size, promised);
  }
  if (promised !== undefined && promised !== size) {
    throw new HttpFailure(`the body ended after ${size} of ${promised} bytes`, { where, hint: 'try again later' });
  }
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number, where: string): BlocklistError {
  return new BlocklistError('too-large', `the body is larger than ${grouped(maxBytes)} bytes`, {
    where,
    hint: 'check the address, or raise max-bytes for this source',
  });
}
