import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoginEvent, LoginEvents } from '../../src/logins/event.js';
import type { UtmpKind } from '../../src/logins/utmp-events.js';
import { UtmpEvents } from '../../src/logins/utmp-events.js';
import { readUtmp } from '../../src/logins/utmp-file.js';
import { UtmpWalk } from '../../src/logins/utmp-walk.js';
import { tempFolder } from '../io/temp.js';

export const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/logins/${name}`, import.meta.url));
/** 2025-06-15T15:06:40Z: what the samples count from, in seconds */
export const T0 = 1_750_000_000;
export const NOW = Date.parse('2026-11-29T00:00:00Z');

export async function eventsOf(events: LoginEvents): Promise<LoginEvent[]> {
  const all: LoginEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** Events of these bytes as a file. */
export async function readBytes(bytes: Uint8Array, kind: UtmpKind = 'wtmp', cap?: number): Promise<LoginEvent[]> {
  const path = join(await tempFolder(), kind);
  await writeFile(path, bytes);
  return eventsOf(readUtmp(path, kind, NOW, cap));
}

/** The same without a file, given in pieces of these sizes in turn. */
export function walkBytes(bytes: Uint8Array, sizes: readonly number[] = [bytes.length]): LoginEvent[] {
  const all: LoginEvent[] = [];
  const events = new UtmpEvents('FILE', 'wtmp', NOW, (event) => all.push(event));
  const walk = new UtmpWalk(() => {
    throw new Error('unknown');
  });
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1);
    // Overwritten at once, as a reader may do.
    const piece = Uint8Array.from(bytes.subarray(at, at + size));
    walk.take(piece, (found) => events.take(found));
    piece.fill(0xaa);
    at += size;
  }
  walk.finish((found) => events.take(found));
  events.finish();
  return all;
}

const SHOWN = ['user', 'address', 'peer', 'tty', 'pid', 'service', 'end'] as const;

/** An event in one line: kind, place, seconds after T0, what else it has. */
export function told(event: LoginEvent): string {
  const seconds = event.time === undefined ? '-' : (event.time - T0 * 1000) / 1000;
  if (event.kind === 'oddity') return `${event.code} ${event.place.at} ${seconds} ${JSON.stringify(event.facts)}`;
  const visit: Readonly<Record<string, unknown>> = { ...event };
  return [
    event.kind,
    event.place.at,
    seconds,
    ...SHOWN.map((key) => visit[key]).filter((value) => value !== undefined),
  ].join(' ');
}
