import type { RecordKind } from './event.js';

/** How long before a login its failures count. */
export const FAILURES_MS = 600_000;
/** Attackers come with many addresses: of twice as many, those that were heard of longest ago are forgotten at once. */
const MOST_ADDRESSES = 1 << 15;
const MOST_TIMES = 20;

interface Tried {
  readonly time: number;
  readonly kind: RecordKind;
}

/** The last failures of each address, in bounded memory. */
export class RecentFailures {
  private young = new Map<string, Tried[]>();
  private old = new Map<string, Tried[]>();

  add(address: string, time: number, kind: RecordKind): void {
    const known = this.of(address);
    known.push({ time, kind });
    if (known.length > MOST_TIMES) known.shift();
    this.young.set(address, known);
    if (this.young.size < MOST_ADDRESSES) return;
    this.old = this.young;
    this.young = new Map();
  }

  /** How many failures this kind of record has of the address within ten minutes before. */
  before(address: string, time: number, kind: RecordKind): number {
    const isNear = (tried: Tried) => tried.kind === kind && tried.time <= time && tried.time >= time - FAILURES_MS;
    return this.of(address).filter(isNear).length;
  }

  private of(address: string): Tried[] {
    return this.young.get(address) ?? this.old.get(address) ?? [];
  }
}
