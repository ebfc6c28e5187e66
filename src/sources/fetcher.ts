import { BlocklistError, ErrorCode } from '../errors.js';
import { minuteText } from '../io/figures.js';
import type { Download, DownloadOptions, HttpClient } from '../io/http.js';
import { HttpFailure } from '../io/http-failure.js';
import { afterRefusal, type FetchLog, type FetchRecord } from './fetch-log.js';

/** One address to fetch. */
export interface ListRequest {
  /** as configured, with `{key}` in place of the key: for messages, the log and as identity of last good */
  readonly url: string;
  /** the key itself, and where it goes */
  readonly key?: { readonly value: string; readonly in: 'url' | 'basic' | { readonly header: string } };
  readonly target: DownloadOptions['target'];
  readonly timeoutMs: number;
  /** not asked again before this has passed */
  readonly intervalMs: number;
}

/** not-due: asked too recently; `refused` is what a guard had against the body that came then. */
export type Fetched = Download | { readonly kind: 'not-due'; readonly refused?: BlocklistError };

/** when-due: floors and backoff hold; unless-refused: there is no last good, so only backoff does; now: neither does. */
export type Due = 'when-due' | 'unless-refused' | 'now';

/** polite: floors and backoff hold; force: the person wants it now. */
export type Urgency = 'polite' | 'force';

export interface FetchOptions {
  readonly userAgent: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  readonly urgency: Urgency;
  /** for all fetches of the run, in milliseconds from its begin */
  readonly deadlineMs: number;
  /** first pause before a second attempt; the second pause is four times as long */
  readonly pauseMs: number;
}

const ATTEMPTS = 3;
/** A run holds the lock: it does not wait longer for a second attempt. */
const LONGEST_PAUSE_MS = 30_000;
/** Statuses that a moment later may be another: RFC 9110 section 15.6. */
const PASSING = [500, 502, 503, 504];
/** Failures of the network that a second attempt would only repeat. */
const LASTING = ['timeout', 'ECONNREFUSED', 'ENOTFOUND'];
/** The machine is not there: nothing else of it is asked in this run. */
const ABSENT = ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT', 'EAI_AGAIN'];

/** Fetches side by side across hosts, one request at a time to each host, within one deadline. */
export class Fetcher {
  private client: HttpClient | undefined;
  private readonly begun = performance.now();
  private readonly lines = new Map<string, Promise<unknown>>();
  private readonly absent = new Map<string, HttpFailure>();

  constructor(
    private readonly log: FetchLog,
    private readonly options: FetchOptions,
  ) {}

  /** @throws BlocklistError as HttpClient.download; `http-failed` also when the server wants to be left alone. */
  async get(
    request: ListRequest,
    due: Due,
    facts: Pick<DownloadOptions, 'known' | 'maxBytes' | 'onBytes'>,
  ): Promise<Fetched> {
    const { now, urgency } = this.options;
    const record = this.log.of(request.url);
    // What a clock that was wrong wrote down would hold for years.
    if (record !== undefined && record.asked <= now() && urgency === 'polite' && due !== 'now') {
      if (now() < record.notBefore) throw leftAlone(request.url, record.notBefore, record.failures);
      if (due === 'when-due' && now() < record.asked + request.intervalMs) {
        return { kind: 'not-due', ...refusalOf(request.url, record) };
      }
    }
    const { host } = new URL(request.url);
    const turn = (this.lines.get(host) ?? Promise.resolve()).then(() => this.inTurn(host, request, facts));
    // The line goes on whatever becomes of this one.
    this.lines.set(
      host,
      turn.catch(() => undefined),
    );
    return turn;
  }

  /** A body that came was not used: it stays wrong until another one comes. */
  refuse(url: string, { code, message, hint }: BlocklistError): void {
    const record = this.log.of(url);
    const refused = { code, message, ...(hint === undefined ? {} : { hint }) };
    if (record !== undefined) this.log.set(url, { ...record, refused });
  }

  /** Ends all connections and writes the log. */
  async close(): Promise<void> {
    await this.end();
    await this.log.save(this.options.now());
  }

  /** Ends all connections; what was asked is forgotten. */
  async end(): Promise<void> {
    await this.client?.close();
  }

  private async inTurn(
    host: string,
    request: ListRequest,
    facts: Pick<DownloadOptions, 'known' | 'maxBytes' | 'onBytes'>,
  ): Promise<Download> {
    const absent = this.absent.get(host);
    if (absent !== undefined) throw notAsked(request.url, host, absent);
    for (let attempt = 1; ; attempt++) {
      const failure = await this.attempt(request, facts);
      if ('kind' in failure) return failure;
      const pause = attempt < ATTEMPTS ? this.pauseAfter(failure, attempt) : undefined;
      if (pause !== undefined && pause < this.left()) {
        await new Promise((resolve) => setTimeout(resolve, pause));
        continue;
      }
      const isAbsent = failure.network !== undefined && ABSENT.includes(failure.network);
      if (isAbsent && failure.host === host) this.absent.set(host, failure);
      this.remember(request.url, failure);
      throw failure;
    }
  }

  /** The answer, or the failure that may be worth another attempt. @throws BlocklistError for any other. */
  private async attempt(
    { url, key, target, timeoutMs }: ListRequest,
    facts: Pick<DownloadOptions, 'known' | 'maxBytes' | 'onBytes'>,
  ): Promise<Download | HttpFailure> {
    const { log, options } = this;
    if (this.left() <= 0) throw tooLate(url, options.deadlineMs);
    // Loaded here and not at the top: a build without the network must not pay for the HTTP client.
    const { HttpClient } = await import('../io/http.js');
    this.client ??= new HttpClient(options.userAgent, options.env);
    const full = key?.in === 'url' ? url.replaceAll('{key}', encodeURIComponent(key.value)) : url;
    const headers = headersOf(key);
    try {
      const timeout = Math.max(1, Math.ceil(Math.min(timeoutMs, this.left())));
      const answer = await this.client.download(full, { ...facts, shown: url, headers, target, timeoutMs: timeout });
      log.set(url, { asked: options.now(), failures: 0, notBefore: 0 });
      return answer;
    } catch (error) {
      if (error instanceof HttpFailure) return error;
      throw error;
    }
  }

  /** A refusal is the server's wish; a network that fails may be ours, and is tried again with the next run. */
  private remember(url: string, { status, retryAfterMs }: HttpFailure): void {
    const { log, options } = this;
    if (status !== undefined) log.set(url, afterRefusal(log.of(url), options.now(), retryAfterMs, Math.random()));
  }

  /** How long to wait before asking again in this run; undefined when that is pointless or rude. */
  private pauseAfter({ status, network, retryAfterMs }: HttpFailure, attempt: number): number | undefined {
    const isPassing = status === undefined ? !LASTING.includes(network ?? '') : PASSING.includes(status);
    if (!isPassing || (retryAfterMs ?? 0) > LONGEST_PAUSE_MS) return undefined;
    const pause = this.options.pauseMs * 4 ** (attempt - 1) * (0.5 + Math.random());
    return Math.max(pause, retryAfterMs ?? 0);
  }

  /** Milliseconds until the deadline. */
  private left(): number {
    return this.begun + this.options.deadlineMs - performance.now();
  }
}

function refusalOf(where: string, { refused }: FetchRecord): { readonly refused?: BlocklistError } {
  if (refused === undefined) return {};
  const { code, message, hint } = refused;
  // A code of another version of the program is none of this one.
  const known = code in ErrorCode ? (code as ErrorCode) : 'http-failed';
  return { refused: new BlocklistError(known, message, { where, ...(hint === undefined ? {} : { hint }) }) };
}

function headersOf(key: ListRequest['key']): Record<string, string> {
  if (key === undefined || key.in === 'url') return {};
  if (key.in === 'basic') return { authorization: `Basic ${Buffer.from(key.value).toString('base64')}` };
  return { [key.in.header.toLowerCase()]: key.value };
}

function notAsked(where: string, host: string, cause: HttpFailure): BlocklistError {
  return new BlocklistError('http-failed', `not asked, since ${host} did not answer`, {
    where,
    hint: 'try again later; last good is kept',
    cause,
  });
}

function leftAlone(where: string, until: number, failures: number): BlocklistError {
  const when = minuteText(until);
  const times = failures === 1 ? 'refused us' : `refused us ${failures} times`;
  return new BlocklistError('http-failed', `the server ${times}: not asked again before ${when}`, {
    where,
    hint: 'blocklist update --force asks now',
  });
}

function tooLate(where: string, deadlineMs: number): BlocklistError {
  return new BlocklistError('http-failed', `not fetched: the ${deadlineMs / 1000} s for all sources are over`, {
    where,
    hint: 'it is fetched with the next run; raise fetch.deadline if this happens every night',
  });
}
