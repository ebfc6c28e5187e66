import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoginEvent, LoginEvents } from '../../src/logins/event.js';
import { readLog } from '../../src/logins/log-file.js';
import { Zone } from '../../src/logins/zone.js';
import { tempFolder } from '../io/temp.js';

export const UTC = new Zone('UTC');

export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/logins/${name}`, import.meta.url));
}

/** All that a reader yields. */
export async function all(events: LoginEvents): Promise<LoginEvent[]> {
  const found: LoginEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}

/** A log with this content, changed last at this moment. */
export async function logFile(content: string | Uint8Array, changed: string, name = 'auth.log'): Promise<string> {
  const path = join(await tempFolder(), name);
  await writeFile(path, content);
  await utimes(path, new Date(changed), new Date(changed));
  return path;
}

/** What is read of a log. */
export async function read(content: string | Uint8Array, changed = '2026-01-01T12:00:00Z'): Promise<LoginEvent[]> {
  return all(readLog(await logFile(content, changed), UTC));
}

export async function readFixture(name: string, changed: string): Promise<LoginEvent[]> {
  return read(await readFile(fixture(name)), changed);
}

/** In one line, to compare with: kind, time, who from where, how. */
export function line(event: LoginEvent): string {
  const time = event.time === undefined ? '-' : new Date(event.time).toISOString().slice(0, 19);
  const parts: Array<string | number | undefined> = [event.kind, time];
  if (event.kind === 'oddity') parts.push(event.code);
  if ('user' in event) parts.push(event.user);
  if ('address' in event) parts.push(event.address);
  if ('peer' in event) parts.push(event.peer);
  if ('port' in event) parts.push(event.port);
  if ('tty' in event) parts.push(event.tty);
  if ('pid' in event) parts.push(event.pid);
  if ('service' in event) parts.push(event.service);
  if ('method' in event) parts.push(event.method);
  if ('key' in event) parts.push(event.key);
  return parts.filter((part) => part !== undefined && part !== '').join(' ');
}
