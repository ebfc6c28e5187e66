import type { RecordKind } from './event.js';

/** How long before a login its failures count. */
export const FAILURES_MS = 600_000;
/** Attackers come with many addresses: the one that was heard of longest ago is forgotten. */
const MOST_ADDRESSES = 65_536;
const MOST_TIMES = 20;

/** The last failures of each address, in bounded memory. */
export class RecentFailures {
  /** by address, the youngest address last: a Map keeps the order */
  private readonly times = new Map<string, Array<{ readonly time: number; readonly kind: RecordKind }>>();

  add(address: string, time: number, kind: RecordKind): void {
    const known = this.times.get(address) ?? [];
    this.times.delete(address);
    known.push({ time, kind });
    if (known.length > MOST_TIMES) known.shift();
    this.times.set(address, known);
    if (this.times.size <= MOST_ADDRESSES) return;
    const [oldest] = this.times.keys();
    if (oldest !== undefined) this.times.delete(oldest);
  }

  /** How many failures this kind of record has of the address within ten minutes before. */
  before(address: string, time: number, kind: RecordKind): number {
    const known = this.times.get(address) ?? [];
    return known.filter((each) => each.kind === kind && each.time <= time && each.time >= time - FAILURES_MS).length;
  }
}
