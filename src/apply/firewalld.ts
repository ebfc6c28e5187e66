import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RuleSets } from '../build/build.js';
import { BlocklistError } from '../errors.js';
import { ask } from '../host/ask.js';
import {
  FIREWALLD_FOLDER,
  firewalldBackend,
  isFirewalldRunning,
  onlyAtRunTime,
  RELOAD_TIMEOUT_MS,
} from '../host/firewalld.js';
import { readWhole } from '../io/read.js';
import { removeTree, writeAtomic } from '../io/write.js';
import type { FourSets } from '../ip/index.js';
import { beyondFirewalld, IPSET_FILES, MARK, ZONE, ZONE_FILE } from '../render/firewalld.js';
import { FILE_CAP } from './artefact.js';
import { firewalldDrift, TABLE } from './firewalld-drift.js';
import type { Nft } from './nft.js';

/** Our ipsets and our zone in the configuration of firewalld. */

export type Files = ReadonlyMap<string, Buffer>;
const FILES: readonly string[] = [...IPSET_FILES, ZONE_FILE];

/** Ends where a zone of firewalld cannot be loaded and read back. @throws BlocklistError `firewalld-unfit`, `program-missing` */
export async function requireFirewalld(): Promise<void> {
  const unfit = (what: string, hint: string) =>
    new BlocklistError('firewalld-unfit', what, { where: 'firewalld', hint });
  const start = 'start it, or load our own table: blocklist apply';
  try {
    if (!(await isFirewalldRunning())) throw unfit('firewalld does not run', start);
  } catch (error) {
    // Without a bus nobody can ask it.
    if (!(error instanceof BlocklistError) || error.code !== 'program-failed') throw error;
    throw unfit(`firewalld does not answer: ${error.message}`, start);
  }
  const backend = await firewalldBackend();
  if (backend === 'nftables') return;
  throw unfit(
    `firewalld keeps its rules in ${backend}, where they cannot be read back`,
    `set FirewallBackend=nftables in ${FIREWALLD_FOLDER}/firewalld.conf, or load our own table: blocklist apply`,
  );
}

/** Our files as they are. @throws BlocklistError `firewalld-foreign` where one is somebody else's, `file-unreadable` */
export async function ownFiles(): Promise<Files> {
  const found = await allFiles();
  const foreign = [...found].find(([, bytes]) => !isOurs(bytes));
  if (foreign === undefined) return found;
  throw new BlocklistError('firewalld-foreign', 'this file of firewalld has the name of ours, and is not ours', {
    where: join(FIREWALLD_FOLDER, foreign[0]),
    hint: 'give it another name, or remove it; nothing was changed',
  });
}

async function allFiles(): Promise<Files> {
  const found = new Map<string, Buffer>();
  for (const name of FILES) {
    const bytes = await readWhole(join(FIREWALLD_FOLDER, name), FILE_CAP);
    if (bytes !== undefined) found.set(name, bytes);
  }
  return found;
}

function isOurs(bytes: Buffer): boolean {
  return bytes.includes(MARK);
}

/** A reload forgets what is in force and not written down; that may be the port of whoever calls. @throws BlocklistError `runtime-only` */
export async function requireNothingLost(): Promise<void> {
  const lost = await onlyAtRunTime(ZONE);
  if (lost.length === 0) return;
  const some = lost.slice(0, 3).join('; ');
  const more = lost.length > 3 ? `; and ${lost.length - 3} more` : '';
  throw new BlocklistError('runtime-only', `a reload of firewalld would change more than our part: ${some}${more}`, {
    where: 'firewall-cmd --list-all-zones',
    hint: 'keep it: firewall-cmd --runtime-to-permanent; or forget it: firewall-cmd --reload; then again',
  });
}

/** Refuses what a zone of firewalld cannot do: nothing of it is left out silently. @throws BlocklistError `beyond-firewalld` */
export function requireWithinReach(sets: RuleSets, where: string, hint: string): void {
  const beyond = beyondFirewalld(sets);
  if (beyond.length === 0) return;
  const message = `a zone of firewalld cannot do this: ${beyond.join(', ')}; nothing was changed`;
  throw new BlocklistError('beyond-firewalld', message, { where, hint });
}

/** Lets firewalld judge the files in a copy of its folder. @throws BlocklistError `firewalld-refused` */
async function checkOffline(files: Files): Promise<void> {
  const copy = await mkdtemp(join(tmpdir(), 'blocklist-firewalld-'));
  try {
    await cp(FIREWALLD_FOLDER, copy, { recursive: true });
    await replaceFiles(files, copy);
    await ask(['firewall-offline-cmd', '--system-config', copy, '--check-config'], { timeoutMs: RELOAD_TIMEOUT_MS });
  } catch (cause) {
    if (!(cause instanceof BlocklistError) || cause.code !== 'program-failed') throw cause;
    throw new BlocklistError('firewalld-refused', `firewalld refuses it: ${cause.message}; nothing was changed`, {
      where: FIREWALLD_FOLDER,
      hint: 'firewall-offline-cmd --check-config tells whether it was so before',
      cause,
    });
  } finally {
    await removeTree(copy);
  }
}

/** Exactly these of our files, and none that they do not name. */
export async function replaceFiles(files: Files, folder: string): Promise<void> {
  for (const [name, bytes] of files) await writeAtomic(join(folder, name), bytes);
  for (const name of FILES) if (!files.has(name)) await removeTree(join(folder, name));
}

function reload(): Promise<string> {
  return ask(['firewall-cmd', '--reload'], { timeoutMs: RELOAD_TIMEOUT_MS });
}

/**
 * Writes the files, lets firewalld read them once, and reads back what the kernel holds.
 * @throws BlocklistError `firewalld-refused`, `verify-differs`, `file-unwritable`; firewalld has then been given its old files again.
 */
export async function loadFirewalld(
  nft: Nft,
  { sets, files }: { readonly sets: FourSets; readonly files: Files },
  before: Files,
): Promise<void> {
  await checkOffline(files);
  try {
    await replaceFiles(files, FIREWALLD_FOLDER);
    await reload();
    const drift = await firewalldDrift(nft, sets);
    if (drift.length === 0) return;
    throw new BlocklistError('verify-differs', `loaded, but the kernel differs: ${drift.join('; ')}`, {
      where: `inet ${TABLE}`,
      hint: 'see the log of firewalld; our own table needs no reload: blocklist apply',
    });
  } catch (error) {
    throw await wentBack(before, error);
  }
}

async function wentBack(before: Files, error: unknown): Promise<unknown> {
  if (!(error instanceof BlocklistError)) return error;
  const { code, message, hint = 'see the log of firewalld', where = 'firewalld' } = error;
  try {
    await replaceFiles(before, FIREWALLD_FOLDER);
    await reload();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const words = `${message}; and the way back failed: ${why}`;
    return new BlocklistError(code, words, { where, hint: 'firewall-cmd --complete-reload', cause: error });
  }
  return new BlocklistError(code, `${message}; rolled back: firewalld is as before`, { where, hint, cause: error });
}

/** Whether anything of ours is in its configuration. Files of others under our names do not count. */
export async function isInFirewalld(): Promise<boolean> {
  return [...(await allFiles()).values()].some(isOurs);
}

/** Removes all of it. Where a reload would change more than that, hosts are freed at once, and the empty rest goes with the next reload. */
export async function unloadFirewalld(): Promise<'removed'> {
  const isRunning = await isFirewalldRunning();
  const isSafe = isRunning && (await onlyAtRunTime(ZONE)).length === 0;
  const ours = [...(await allFiles())].filter(([, bytes]) => isOurs(bytes)).map(([name]) => name);
  for (const name of ours) await removeTree(join(FIREWALLD_FOLDER, name));
  if (isSafe) await reload();
  else if (isRunning) await freeAtRunTime();
  return 'removed';
}

async function freeAtRunTime(): Promise<void> {
  const sources = (await ask(['firewall-cmd', `--zone=${ZONE}`, '--list-sources'])).split(/\s+/).filter(Boolean);
  for (const source of sources) await ask(['firewall-cmd', `--zone=${ZONE}`, `--remove-source=${source}`]);
}
