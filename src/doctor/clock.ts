import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BlocklistError } from '../errors.js';
import { age } from '../io/figures.js';
import { errnoOf } from '../io/read.js';
import { type Bench, examination, type Finding, good, type Host, told } from './contract.js';
import { isThere, namesIn, wordsOf } from './look.js';

export interface ClockFacts {
  /** the file of ours that was written last */
  readonly newest: { readonly path: string; readonly at: number } | undefined;
  /** what sets the clock, as far as it can be seen */
  readonly keeper: string | undefined;
}

/** systemd-timesyncd(8) makes it once the clock was set from the network. */
const SYNCHRONISED = '/run/systemd/timesync/synchronized';
const KEEPERS = new Set(['chronyd', 'ntpd', 'openntpd', 'ntpd-rs', 'ptp4l', 'phc2sys', 'VBoxService', 'vmtoolsd']);

async function gather({ root, config, folders }: Host): Promise<ClockFacts> {
  const ours = [...(config instanceof BlocklistError ? [] : [config.paths.rules]), folders.state, folders.cache];
  const times = (await Promise.all(ours.map((folder) => timesBelow(folder, DEPTH)))).flat();
  const newest = times.reduce<ClockFacts['newest']>(
    (best, each) => (best && best.at >= each.at ? best : each),
    undefined,
  );
  return { newest, keeper: (await isThere(root, SYNCHRONISED)) ? 'systemd-timesyncd' : await runningKeeper(root) };
}

/** cache/sources/ID/meta.json */
const DEPTH = 3;

/** Times of files; what cannot be seen counts as not there. */
async function timesBelow(folder: string, depth: number): Promise<Array<{ path: string; at: number }>> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const found = entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return depth > 1 ? timesBelow(path, depth - 1) : [];
      return entry.isFile() ? [{ path, at: (await stat(path)).mtimeMs }] : [];
    });
    return (await Promise.all(found)).flat();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}

async function runningKeeper(root: string): Promise<string | undefined> {
  const pids = (await namesIn(root, '/proc')).filter((name) => /^\d+$/.test(name));
  const names = await Promise.all(pids.map(async (pid) => (await wordsOf(root, `/proc/${pid}/comm`)).trim()));
  return names.find((name) => KEEPERS.has(name));
}

/** No clock that works says less: this release did not exist before. */
const RELEASED = Date.UTC(2026, 5, 1);
/** File systems of other machines may be some seconds ahead. */
const TOLERANCE = 5 * 60_000;

export function judgeClock({ newest, keeper }: ClockFacts, { now }: Bench): Finding[] {
  const fix = 'set the clock: timedatectl set-ntp true, or install chrony; bans, ages of lists and TLS depend on it';
  if (now < RELEASED)
    return [told('clock', 'problem', `it says ${new Date(now).toISOString()}, before this release was made`, fix)];
  if (newest !== undefined && newest.at > now + TOLERANCE) {
    const what = `a file of ours was written ${age(newest.at - now)} in the future: the clock is wrong now, or was`;
    return [told('clock', 'problem', what, `${fix}; if it is right now: touch ${newest.path}`, newest.path)];
  }
  if (keeper !== undefined) return [good('clock', `plausible, and ${keeper} keeps it`)];
  return [
    told(
      'clock',
      'note',
      'plausible, but nothing was found that keeps it',
      'install chrony or systemd-timesyncd, unless the machine below sets it',
    ),
  ];
}

export const clock = examination('clock', { gather, judge: judgeClock });
