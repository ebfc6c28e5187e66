import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { linkTarget, switchLink, syncFolder, temporaryLink } from '../io/link.js';
import { readWhole } from '../io/read.js';
import { makeFolder, removeTree, writeAtomic } from '../io/write.js';

/**
 * What plain `nft -f` loads at boot, before the network is up and without this program: our own rendering, which belongs to
 * root. A digest beside it is checked first, so that a damaged copy is told and not loaded.
 *
 *     boot/local -> local-1a2b3c4d    blocklist.nft (the table and the sets of this host), SHA256SUMS
 *     boot/rules -> rules-5e6f7a8b    blocklist.nft (what was reviewed), SHA256SUMS
 *
 * The folder is complete before the link leads to it. `local` is written first: the boot unit begins to work when `rules` is there.
 */
export const BOOT_PARTS = ['local', 'rules'] as const;
export type BootPart = (typeof BOOT_PARTS)[number];

export const BOOT_FOLDER = 'boot';
export const BOOT_SCRIPT = 'blocklist.nft';
const BOOT_SUMS = 'SHA256SUMS';

/** Above any real script: ten million prefixes. */
const FILE_CAP = 1 << 28;

/**
 * Writes one part of the boot copy. A crash at any moment leaves the old one or the new one; what a crash left is removed by the next run. The
 * caller holds the lock of the state folder.
 * @throws BlocklistError `file-unwritable`
 */
export async function writeBootCopy(
  stateFolder: string,
  part: BootPart,
  script: Uint8Array,
): Promise<'written' | 'as it was'> {
  return (await stageBootCopy(stateFolder, part, script))();
}

/**
 * Writes the copy beside the one in use, which may go on beside the load that it is of.
 * @returns what turns to it
 * @throws BlocklistError `file-unwritable`
 */
export async function stageBootCopy(
  stateFolder: string,
  part: BootPart,
  script: Uint8Array,
): Promise<() => Promise<'written' | 'as it was'>> {
  const boot = join(stateFolder, BOOT_FOLDER);
  const sum = sha256(script);
  const name = `${part}-${sum.slice(0, 8)}`;
  const link = join(boot, part);
  const isSame = (await linkTarget(link)) === name && (await stateOf(join(boot, name))) === 'whole';
  if (!isSame) {
    const folder = join(boot, name);
    await makeFolder(folder);
    await writeAtomic(join(folder, BOOT_SCRIPT), script);
    await writeAtomic(join(folder, BOOT_SUMS), `${sum}  ${BOOT_SCRIPT}\n`);
    for (const each of [folder, boot, stateFolder]) await syncFolder(each);
  }
  return async () => {
    if (!isSame) await switchLink(link, name);
    await removeOthers(boot, part, name);
    return isSame ? 'as it was' : 'written';
  };
}

/** Removes the boot copy, so that the next boot loads nothing: for an unload that is to stay. */
export async function removeBootCopy(stateFolder: string): Promise<void> {
  const boot = join(stateFolder, BOOT_FOLDER);
  // The other way round than it is written: without `rules` the boot unit does nothing.
  for (const part of [...BOOT_PARTS].reverse()) {
    await removeTree(join(boot, part));
    await removeOthers(boot, part, undefined);
  }
}

export interface BootPartState {
  readonly part: BootPart;
  /** absent: nothing is loaded at boot; damaged: the boot unit refuses it and reports a failure */
  readonly state: 'whole' | 'absent' | 'damaged';
  /** sha256 of the script, when it is whole */
  readonly sha256?: string;
}

/** The boot copy as the boot unit would find it. Changes nothing. */
export async function checkBootCopy(stateFolder: string): Promise<BootPartState[]> {
  return Promise.all(
    BOOT_PARTS.map(async (part) => {
      const boot = join(stateFolder, BOOT_FOLDER);
      const name = await linkTarget(join(boot, part));
      if (name === undefined) return { part, state: 'absent' as const };
      // Not through the link: it may be switched between two reads.
      const folder = join(boot, name);
      if ((await stateOf(folder)) === 'damaged') return { part, state: 'damaged' as const };
      const script = await readWhole(join(folder, BOOT_SCRIPT), FILE_CAP);
      return { part, state: 'whole' as const, sha256: sha256(script ?? new Uint8Array()) };
    }),
  );
}

async function stateOf(folder: string): Promise<'whole' | 'damaged'> {
  const script = await readWhole(join(folder, BOOT_SCRIPT), FILE_CAP);
  const sums = await readWhole(join(folder, BOOT_SUMS), FILE_CAP);
  if (script === undefined || sums === undefined) return 'damaged';
  return sums.toString('latin1') === `${sha256(script)}  ${BOOT_SCRIPT}\n` ? 'whole' : 'damaged';
}

/** Earlier copies of a part, and what a killed run left of one. */
async function removeOthers(boot: string, part: BootPart, current: string | undefined): Promise<void> {
  await removeTree(temporaryLink(join(boot, part)));
  for (const name of await namesIn(boot)) {
    const isCopy = name.startsWith(`${part}-`) && /^[0-9a-f]{8}$/.test(name.slice(part.length + 1));
    if (isCopy && name !== current) await removeTree(join(boot, name));
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    // No folder, no copies; one that cannot be read is told by whoever writes into it.
    return [];
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
