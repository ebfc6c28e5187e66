import { formatPrefix } from '../../ip/index.js';
import type { Ban } from './contract.js';
import { goDuration } from './go-duration.js';

const YEAR_MS = 365 * 86_400_000;
/** CrowdSec has no decision without an end, and none beyond the 292 years that a duration of Go holds. */
const LONGEST_MS = 10 * YEAR_MS;
/** A ban that is longer is pushed anew when it has less than this left there. */
const STILL_LONG_MS = 9 * YEAR_MS;
/** The message is a varchar(255) where its database is MySQL; a longer one would have all alerts beside it refused. */
const LONGEST_MESSAGE = 255;
/** Its clock and ours differ by so much at most. */
const TOLERANCE_MS = 60_000;

/** When a ban ends at CrowdSec, in milliseconds since 1970. */
export function endThere({ until }: Ban, now: number): number {
  return Math.min(until ?? Number.POSITIVE_INFINITY, now + LONGEST_MS);
}

/** Whether a decision that ends then is this ban. */
export function isSameEnd(ban: Ban, until: number, now: number): boolean {
  const end = endThere(ban, now);
  return end === now + LONGEST_MS ? until > now + STILL_LONG_MS : Math.abs(end - until) <= TOLERANCE_MS;
}

/**
 * A ban as an alert with its decision, as `cscli decisions add` sends one (Alert and Decision in CrowdSec's localapi_swagger.yaml). The origin
 * is that of decisions made by hand, for its sake: CrowdSec tells its central service of those only where the operator switched that on
 * (`cscli console enable manual`), while it tells of any other origin without being asked.
 */
export function alertOf(ban: Ban, scenario: string, now: number): object {
  const value = formatPrefix(ban.prefix);
  const isNet = ban.prefix.length < ban.prefix.family.bits;
  const scope = isNet ? 'Range' : 'Ip';
  // The end is counted from stop_at, by our clock alone.
  const at = new Date(now).toISOString();
  const message = [ban.reason ?? 'banned by hand', ...(ban.by === undefined ? [] : [`(${ban.by})`])].join(' ');
  return {
    scenario,
    scenario_hash: '',
    scenario_version: '',
    message: message.slice(0, LONGEST_MESSAGE),
    events_count: 1,
    start_at: at,
    stop_at: at,
    capacity: 0,
    leakspeed: '0',
    simulated: false,
    events: [],
    source: { scope, value, ...(isNet ? { range: value } : { ip: value }) },
    decisions: [
      {
        origin: 'cscli',
        type: 'ban',
        scope,
        value,
        duration: goDuration(endThere(ban, now) - now),
        scenario,
      },
    ],
  };
}
