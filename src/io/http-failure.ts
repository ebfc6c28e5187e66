import { BlocklistError, type ErrorDetail } from '../errors.js';

/** An exchange that failed, with what decides when to ask again. */
export class HttpFailure extends BlocklistError {
  /** the answer's status, when there was an answer */
  readonly status: number | undefined;
  /** what Retry-After asks for, in milliseconds from now (RFC 9110 section 10.2.3) */
  readonly retryAfterMs: number | undefined;
  /** ECONNREFUSED, ENOTFOUND…, when there was none */
  readonly network: string | undefined;
  /** host that did not answer, which a redirect may have led to */
  readonly host: string | undefined;

  constructor(
    message: string,
    detail: ErrorDetail,
    facts: Partial<Pick<HttpFailure, 'status' | 'retryAfterMs' | 'network' | 'host'>> = {},
  ) {
    super('http-failed', message, detail);
    this.status = facts.status;
    this.retryAfterMs = facts.retryAfterMs;
    this.network = facts.network;
    this.host = facts.host;
  }
}

/** What an answer's status says. `retry`: its Retry-After, if it has one. */
export function refused(status: number, retry: string | undefined, where: string): HttpFailure {
  const hints: Readonly<Record<number, string>> = {
    401: 'it wants a key: name one with key-file',
    403: 'it does not serve this host: it may want a key, a contact (fetch.contact), or no servers at all',
    404: 'the list has moved or ended: blocklist feeds show tells what is known',
    429: 'it was asked too often; it is left alone for a while',
  };
  const hint = hints[status] ?? (status >= 500 ? 'try again later' : 'open the address in a browser');
  const retryAfterMs = retryAfter(retry);
  return new HttpFailure(`the server answered ${status}`, { where, hint }, { status, retryAfterMs });
}

/** Seconds or a date; anything else says nothing. */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** What the network, or the time, had against an exchange with a host. */
export function networkFailure({ host }: URL, where: string, cause: unknown, timeoutMs: number): HttpFailure {
  const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
  const detail = cause instanceof Error ? cause.message || cause.name : String(cause);
  const what = timedOut ? `no complete answer within ${timeoutMs / 1000} s` : detail;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  const facts = { network: timedOut ? 'timeout' : code, host };
  return new HttpFailure(what, { where, hint: 'try again later; last good is kept', cause }, facts);
}
