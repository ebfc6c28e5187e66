import { BlocklistError } from '../errors.js';
import { age, grouped, percent } from '../io/figures.js';
import type { IpSet, ListReport } from '../ip/index.js';

/** Limits on one source. */
export interface SourceLimits {
  /** shortest IPv4 prefix length accepted */
  readonly maxPrefixV4: number;
  readonly maxPrefixV6: number;
  /** 0…1: larger shares of unreadable lines refuse the source */
  readonly maxRejects: number;
  readonly canBeEmpty: boolean;
  /** share of the entries of last good, below which a body is refused */
  readonly shrink: number;
  /** and above which */
  readonly grow: number;
  /** age of last good in milliseconds */
  readonly maxAgeMs: number;
  /** age of the content in milliseconds, for a feed that changes while it lives */
  readonly maxUnchangedMs?: number;
  /** for lists of what is never blocked: largest share of IPv4, and of the IPv6 space in use */
  readonly maxCoverage?: number;
}

/** Limits on what may come and go between two bodies. */
export type ChangeLimits = Pick<SourceLimits, 'shrink' | 'grow' | 'canBeEmpty'>;

/** judge: the guards that compare with last good hold; accept: a person has looked at the change and wants it. */
export type Change = 'judge' | 'accept';

const SNIFFED = 512;
/** Below this many entries a list may change as it likes. */
const SMALL = 20;

/**
 * Refuses a body that begins like a web page: an error or challenge page sent with status 200, which may hold the reader's own address
 * (facts of real feeds: terms pages, "Just a moment...").
 * @throws BlocklistError `source-html`
 */
export function refuseHtml(body: Buffer, where: string): void {
  if (!/<!doctype|<html|<head[\s>]/i.test(body.toString('latin1', 0, SNIFFED))) return;
  throw new BlocklistError('source-html', 'a web page came in place of a list', {
    where,
    hint: 'open the address in a browser: it may want a login, or have moved',
  });
}

/**
 * Judges what was read by itself.
 * @throws BlocklistError `source-empty`, `source-rejects`, `source-records`, `source-too-wide`, each with its figures.
 */
export function judge(report: ListReport, limits: SourceLimits, where: string): void {
  const { entries, rejected, leftOut, records, widest } = report;
  if (entries === 0 && !(limits.canBeEmpty && rejected === 0)) {
    const found =
      rejected > 0 ? `${rejected} lines, none of them readable` : leftOut > 0 ? 'only what is filtered out' : 'nothing';
    throw new BlocklistError('source-empty', `no entry: the list holds ${found}`, {
      where,
      hint: 'check the address and the format of this source; guards: {can-be-empty: true} if it is meant',
    });
  }
  const share = rejected / Math.max(1, entries + leftOut + rejected);
  if (share > limits.maxRejects) {
    const [first] = report.samples;
    const example = first === undefined ? '' : `, the first in line ${first.line}: ${first.reason}`;
    throw new BlocklistError(
      'source-rejects',
      `${rejected} of ${entries + leftOut + rejected} lines are unreadable${example}`,
      {
        where,
        hint: 'check the format of this source with blocklist feeds test, or raise max-rejects',
      },
    );
  }
  const read = entries + leftOut + rejected;
  if (records !== undefined && records !== read) {
    throw new BlocklistError('source-records', `${came(read)} of the ${grouped(records)} that the list says it holds`, {
      where,
      hint: 'it was cut off or is being rewritten: try again later',
    });
  }
  const v4 = 32 - widest.v4;
  const v6 = 128 - widest.v6;
  if (v4 < limits.maxPrefixV4 || v6 < limits.maxPrefixV6) {
    const [wide, limit, key] =
      v4 < limits.maxPrefixV4 ? [v4, limits.maxPrefixV4, 'v4'] : [v6, limits.maxPrefixV6, 'v6'];
    throw new BlocklistError('source-too-wide', `it holds a /${wide}, wider than the /${limit} allowed`, {
      where,
      hint: `a list that blocks so much at once is nearly always broken; if it is meant, lower max-prefix-${key}`,
    });
  }
}

/** What is said of a change that is refused. */
export interface ChangeWords {
  readonly hint?: string;
  /** the part of the body that the entries are of; all of it when there is none */
  readonly part?: string;
}

const LIST_HINT =
  'look at it with blocklist feeds test; if it is right: blocklist update --accept-change ID, or guards of this source';

/**
 * Judges a new body, or a part of it, by the last good one.
 * @throws BlocklistError `source-shrunk`, `source-grown`, with both figures.
 */
export function compare(
  report: Pick<ListReport, 'entries'>,
  before: Pick<ListReport, 'entries'>,
  limits: ChangeLimits,
  where: string,
  { hint = LIST_HINT, part }: ChangeWords = {},
): void {
  const [now, then] = [report.entries, before.entries];
  if (Math.max(now, then) < SMALL) return;
  const words = `${part === undefined ? '' : `${part}: `}${came(now)}, last good has ${grouped(then)}`;
  if (now < then * limits.shrink && !(limits.canBeEmpty && now === 0)) {
    throw new BlocklistError('source-shrunk', `${words}: fewer than the ${percent(limits.shrink)} allowed`, {
      where,
      hint,
    });
  }
  if (now > then * limits.grow && then > 0) {
    throw new BlocklistError('source-grown', `${words}: more than the ${percent(limits.grow)} allowed`, {
      where,
      hint,
    });
  }
}

/** Why the data of a source is too old to be trusted, if it is; it serves all the same, since old offenders are better than none. */
export function staleness(
  { fetched, changed }: { readonly fetched: number; readonly changed: number },
  now: number,
  { maxAgeMs, maxUnchangedMs }: SourceLimits,
  where: string,
): BlocklistError | undefined {
  if (now - fetched > maxAgeMs) {
    const words = `not confirmed by its server for ${age(now - fetched)}, longer than the ${age(maxAgeMs)} allowed`;
    return new BlocklistError('source-stale', words, {
      where,
      hint: 'the feed may have ended: see blocklist feeds list',
    });
  }
  if (maxUnchangedMs === undefined || now - changed <= maxUnchangedMs) return undefined;
  const words = `the same for ${age(now - changed)}, longer than the ${age(maxUnchangedMs)} expected: nobody may be tending it`;
  return new BlocklistError('source-frozen', words, { where, hint: 'see whether the feed has ended or moved' });
}

/** Unicast IPv6 is given out of 2000::/3 alone: RFC 4291 section 2.4 and IANA's registry. */
const IPV6_IN_USE = 2 ** 125;

/**
 * Refuses an allow list that covers too much: it would open the firewall to all of it.
 * @throws BlocklistError `allow-coverage`
 */
export function requireNarrow(set: IpSet, limit: number, where: string): void {
  const { v4, v6 } = set.count();
  for (const [family, share] of [
    ['IPv4', v4 / 2 ** 32],
    ['IPv6', Number(v6) / IPV6_IN_USE],
  ] as const) {
    if (share <= limit) continue;
    throw new BlocklistError(
      'allow-coverage',
      `it would allow ${percent(share)} of ${family}, more than the ${percent(limit)} allowed`,
      {
        where,
        hint: 'a list that allows so much is nearly always broken; if it is meant, raise guards.max-allow-coverage',
      },
    );
  }
}

function came(entries: number): string {
  return `${grouped(entries)} ${entries === 1 ? 'entry' : 'entries'} came`;
}
