import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { BlocklistError } from '../errors.js';
import type { Account } from '../io/passwd.js';
import { unreadable } from '../io/read.js';
import type { LoginEvent, Place } from './event.js';
import { whereOf } from './service.js';
import { textPeer } from './utmp-peer.js';
import { isText, isZero, textIn } from './utmp-record.js';

/** struct lastlog (bits/utmp.h): the time as 32 bits where programs of 32 bits ever were, else as 64; then line and host. */
interface SlotLayout {
  readonly size: number;
  readonly line: number;
  readonly host: number;
}
const LAYOUTS: readonly [SlotLayout, SlotLayout] = [
  { size: 292, line: 4, host: 36 },
  { size: 296, line: 8, host: 40 },
];

/** A slot that somebody has used. */
interface Slot {
  readonly name: string;
  readonly place: Place;
  readonly bytes: Buffer;
}

/**
 * The last login of each of these accounts, in the order of their ids. The file has a slot for every id below the largest one and is a
 * terabyte for some, nearly all of it never written: only the slots of known ids are read.
 * @throws BlocklistError `file-unreadable`
 */
export async function* readLastlog(
  path: string,
  accounts: readonly Pick<Account, 'name' | 'uid'>[],
): AsyncGenerator<LoginEvent, void, undefined> {
  const events: LoginEvent[] = [];
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const facts = await file.stat();
      if (!facts.isFile()) {
        throw new BlocklistError('file-unreadable', `cannot read ${path}: it is not a regular file`, { where: path });
      }
      const read = await Promise.all(LAYOUTS.map((layout) => usedSlots(file, path, accounts, layout)));
      const [short, long] = read.map((slots, i) => slots.filter((slot) => isGood(slot.bytes, LAYOUTS[i]!)).length);
      // By the content, as in wtmp: the file may come from another machine.
      const chosen = long! > short! ? 1 : 0;
      for (const slot of read[chosen]!) events.push(eventOf(slot, LAYOUTS[chosen]));
      const bytes = facts.size % LAYOUTS[chosen].size;
      const at = facts.size - bytes;
      if (bytes !== 0) {
        events.push({ kind: 'oddity', code: 'partial', place: { kind: 'lastlog', file: path, at }, facts: { bytes } });
      }
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
  yield* events;
}

/** One account for each id: two names of the same id have the same slot. */
async function usedSlots(
  file: FileHandle,
  path: string,
  accounts: readonly Pick<Account, 'name' | 'uid'>[],
  { size }: SlotLayout,
): Promise<Slot[]> {
  const slots: Slot[] = [];
  const names = new Map([...accounts].reverse().map(({ name, uid }) => [uid, name]));
  for (const [uid, name] of [...names].sort(([a], [b]) => a - b)) {
    const at = uid * size;
    const { buffer: bytes, bytesRead } = await file.read(Buffer.alloc(size), 0, size, at);
    if (bytesRead < size || isZero(bytes, 0, size)) continue;
    slots.push({ name, place: { kind: 'lastlog', file: path, at }, bytes });
  }
  return slots;
}

function isGood(bytes: Buffer, { size, line, host }: SlotLayout): boolean {
  const isWide = line === 8;
  if (bytes.readUInt32LE(0) === 0 || (isWide && bytes.readUInt32LE(4) !== 0)) return false;
  return isText(bytes, line, host) && isText(bytes, host, size);
}

function eventOf({ name, place, bytes }: Slot, layout: SlotLayout): LoginEvent {
  const { line, host, size } = layout;
  const time = bytes.readUInt32LE(0) * 1000;
  if (!isGood(bytes, layout)) {
    return {
      kind: 'oddity',
      code: 'damaged',
      place,
      facts: { from: place.at, to: Number(place.at) + size, user: name },
    };
  }
  const peer = textPeer(textIn(bytes, host, size));
  const where = whereOf(textIn(bytes, line, host), peer);
  return { kind: 'login', place, time, user: name, ...peer, ...where, writer: 'root' };
}
