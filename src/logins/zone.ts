import { lstat, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../io/read.js';

/** A wall clock without zone, as RFC 3164 writes it. `month` from 1. */
export interface WallTime {
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** Turns wall times of one zone into moments. */
export class Zone {
  private readonly format: Intl.DateTimeFormat;

  /** @param name of the time zone database: `Europe/Berlin`; undefined: that of this process */
  constructor(name?: string) {
    this.format = new Intl.DateTimeFormat('en-GB', {
      ...(name === undefined ? {} : { timeZone: name }),
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** Milliseconds since 1970. An hour that the clocks leave out is the one behind it; of an hour that comes twice it is one of both. */
  moment(year: number, { month, day, hour, minute, second }: WallTime): number {
    const asUtc = Date.UTC(year, month - 1, day, hour, minute, second);
    // The second step is for moments near a change of the offset.
    const near = asUtc - this.offset(asUtc);
    return asUtc - this.offset(near);
  }

  /** Milliseconds that the wall clock is ahead of UTC. */
  private offset(moment: number): number {
    const parts = Object.fromEntries(this.format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day, hour, minute, second } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - moment;
  }
}

const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/;

/**
 * The zone of the system below `root`: /etc/localtime is a link to its file (localtime(5)), Debian also writes its name to /etc/timezone. Undefined when
 * neither tells.
 */
export async function zoneBelow(root: string): Promise<string | undefined> {
  for (const name of [await linked(join(root, 'etc/localtime')), await written(join(root, 'etc/timezone'))]) {
    if (name !== undefined && NAME.test(name) && isKnown(name)) return name;
  }
  return undefined;
}

async function linked(path: string): Promise<string | undefined> {
  try {
    if (!(await lstat(path)).isSymbolicLink()) return undefined;
    return /\/zoneinfo\/(.+)$/.exec(await readlink(path))?.[1];
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function written(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'latin1')).slice(0, 100).trim();
  } catch (error) {
    if (['ENOENT', 'EISDIR'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

function isKnown(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
