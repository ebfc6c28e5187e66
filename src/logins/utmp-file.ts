import { BlocklistError } from '../errors.js';
import { grouped } from '../io/figures.js';
import { unpackedFile } from '../io/gzip.js';
import type { LoginEvent } from './event.js';
import { UtmpEvents, type UtmpKind } from './utmp-events.js';
import { UtmpWalk } from './utmp-walk.js';

/** Bytes of records, unpacked: twenty million failures. */
const CAP = 2 ** 33;

/**
 * The events of a file of login records as glibc writes it, packed by gzip or not, in the order of the file and in constant memory.
 * last(1) is not asked: it reads from the end, and a byte too many there makes it blind without a word.
 * @param now milliseconds since 1970
 * @param cap bytes of records that are read at most
 * @throws BlocklistError `file-unreadable`, `bad-gzip`, `too-large`; `bad-records` when the file is of something else
 */
export async function* readUtmp(
  path: string,
  kind: UtmpKind,
  now: number,
  cap = CAP,
): AsyncGenerator<LoginEvent, void, undefined> {
  let told: LoginEvent[] = [];
  const events = new UtmpEvents(path, kind, now, (event) => told.push(event));
  const walk = new UtmpWalk(() => {
    throw new BlocklistError('bad-records', `${path} does not hold login records of a kind that is known here`, {
      where: path,
      hint: 'utmpdump FILE shows what is in it; a damaged file is read when half of its beginning is whole',
    });
  });
  let failure: unknown;
  try {
    for await (const chunk of unpackedFile(path, cap)) {
      walk.take(chunk, (piece) => events.take(piece));
      for (const event of told) yield event;
      told = [];
    }
  } catch (cause) {
    failure = inOurWords(path, cap, cause);
  }
  // What could be read is told, whatever became of the rest.
  walk.finish((piece) => events.take(piece));
  events.finish();
  for (const event of told) yield event;
  if (failure !== undefined) throw failure;
}

/** What is said of a list does not fit here: nobody fetched this file, and no source has it. */
function inOurWords(path: string, cap: number, cause: unknown): unknown {
  if (!(cause instanceof BlocklistError)) return cause;
  if (cause.code === 'too-large') {
    return new BlocklistError('too-large', `${path} holds more than ${grouped(cap)} bytes of records`, {
      where: path,
      hint: 'rotate it (logrotate), and look at who writes that much',
      cause,
    });
  }
  if (cause.code === 'bad-gzip') {
    return new BlocklistError('bad-gzip', `${path} is damaged or cut off`, {
      where: path,
      hint: 'what stands before the damage was read; compare with a copy from a backup',
      cause,
    });
  }
  return cause;
}
