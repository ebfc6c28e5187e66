import { dateText } from '../io/figures.js';
import { formatPrefix, type Prefix, widened } from '../ip/index.js';
import { hitDayBytes, hitDays, readLastLook } from './hit-files.js';
import { type Counted, cameSince } from './hits.js';

/** What was dropped of one host lately; at least so much, see Tally. */
export interface HostHits {
  readonly packets: number;
  readonly bytes: number;
  /** how many days it came on */
  readonly days: number;
  /** the last of them, `2026-10-02` */
  readonly last: string;
}

/** So many days are looked into, today included. */
export const HIT_DAYS = 30;
const DAY_MS = 86_400_000;

/** The host that hits of an address are counted under: itself, or its /64. */
export function hostOf(address: Prefix): Prefix {
  return address.family.version === 4 ? address : widened(address, 64);
}

/**
 * The hits of single addresses, in their order; undefined for none. Files of days are searched as they are: to parse thirty would take longer than all the rest of
 * an answer.
 * @param inKernel where their counters stand now, as far as the kernel was asked
 * @param now milliseconds since 1970
 */
export async function hitsOf(
  state: string,
  addresses: readonly Prefix[],
  inKernel: ReadonlyArray<Counted | undefined>,
  now: number,
): Promise<Array<HostHits | undefined>> {
  const hosts = addresses.map((address) => formatPrefix(hostOf(address)));
  const found = hosts.map((): HostHits => ({ packets: 0, bytes: 0, days: 0, last: '' }));
  const add = (i: number, day: string, [packets, bytes]: Counted) => {
    const known = found[i]!;
    const days = known.last === day ? known.days : known.days + 1;
    found[i] = { packets: known.packets + packets, bytes: known.bytes + bytes, days, last: day };
  };
  const first = dateText(now - (HIT_DAYS - 1) * DAY_MS);
  for (const day of (await hitDays(state)).filter((each) => each >= first)) {
    const bytes = await hitDayBytes(state, day);
    if (bytes === undefined) continue;
    for (const [i, host] of hosts.entries()) {
      const counted = countedIn(bytes, host);
      if (counted !== undefined) add(i, day, counted);
    }
  }
  const isAsked = inKernel.some((counted) => counted !== undefined);
  const before = isAsked ? (await readLastLook(state))?.counters : undefined;
  for (const [i, counted] of inKernel.entries()) {
    const came = counted && cameSince(before?.get(hosts[i] ?? ''), counted);
    if (came !== undefined && came[0] > 0) add(i, dateText(now), came);
  }
  return found.map((hits) => (hits.packets === 0 ? undefined : hits));
}

/** `"192.0.2.7":[12,720]` */
function countedIn(file: Buffer, host: string): Counted | undefined {
  const key = `"${host}":[`;
  const at = file.indexOf(key);
  if (at < 0) return undefined;
  const text = file.toString('latin1', at + key.length, at + key.length + 40);
  const [, packets, bytes] = /^(\d+),(\d+)\]/.exec(text) ?? [];
  return packets === undefined ? undefined : [Number(packets), Number(bytes)];
}
