import { grouped } from '../../io/figures.js';
import type { DatabaseContent, GeoKind } from './contract.js';
import { badDatabase } from './damaged.js';

/** How bodies of a database are opened, read and judged. */
export interface DatabaseReading {
  readonly kinds: readonly GeoKind[];
  /** the file that is meant inside an archive */
  readonly member?: string;
  /** cap on the body, packed and unpacked, in bytes */
  readonly maxBytes: number;
  /** 0…1: larger shares of unreadable lines refuse the database */
  readonly maxRejects: number;
}

/** Judges what was read by itself. @throws BlocklistError `bad-database` */
export function judgeDatabase(
  { rejected, entries, samples }: DatabaseContent,
  { maxRejects }: DatabaseReading,
  where: string,
): void {
  if (rejected <= (rejected + entries) * maxRejects) return;
  const [first] = samples;
  const example = first === undefined ? '' : `, the first in line ${first.line}: ${first.reason}`;
  const total = grouped(rejected + entries);
  throw badDatabase(`${grouped(rejected)} of ${total} lines are unreadable or contradict another${example}`, where);
}
