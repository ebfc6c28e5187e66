import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BlocklistError } from '../errors.js';
import { errnoOf, readWhole } from '../io/read.js';
import { moveFile, removeTree, writeAtomic } from '../io/write.js';
import { MANIFEST_FILE, SCRIPT_FILE } from '../render/artefact.js';
import type { Manifest } from '../render/manifest.js';
import {
  type Artefact,
  FILE_CAP,
  LIST_FILES,
  type Place,
  parseArtefact,
  parseManifest,
  refuseMissing,
} from './artefact.js';

export type { Artefact } from './artefact.js';

/**
 * A new artefact is first completed in this folder, its manifest last. From that moment it is the artefact, and its files
 * are moved up one by one; a reader takes each file from here while it is still here. So a crash leaves the old or the new
 * artefact, never a mixture.
 */
const STAGED = '.next';

/**
 * Writes the files of an artefact (manifest last in the map) so that `folder` holds all old or all new ones at every moment. They are staged while
 * `judge` is still going on, and become the artefact only when it ends well. It is not asked for when the files are there already, byte for byte: a night without news writes nothing.
 */
export async function writeArtefact(
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
  judge: () => Promise<unknown> = async () => undefined,
): Promise<'written' | 'as they were'> {
  const staged = join(folder, STAGED);
  await finishMove(folder);
  if (await isCurrent(folder, files)) {
    await removeRetired(folder, [...files.keys()]);
    return 'as they were';
  }
  await removeTree(staged);
  const lists = [...files].filter(([name]) => name !== MANIFEST_FILE);
  const ends = await Promise.allSettled([
    judge(),
    ...lists.map(([name, bytes]) => writeAtomic(join(staged, name), bytes)),
  ]);
  // Only now, when nothing is under way any more.
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  for (const [name, bytes] of files) if (name === MANIFEST_FILE) await writeAtomic(join(staged, name), bytes);
  await finishMove(folder);
  return 'written';
}

async function isCurrent(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<boolean> {
  for (const [name, bytes] of files) {
    const found = await readWhole(join(folder, name), FILE_CAP);
    if (found === undefined || Buffer.compare(found, bytes) !== 0) return false;
  }
  return true;
}

/** Moves a completed staged artefact into place; an incomplete one (no manifest) is left for the next write to replace. */
async function finishMove(folder: string): Promise<void> {
  const staged = join(folder, STAGED);
  const manifest = await readWhole(join(staged, MANIFEST_FILE), FILE_CAP);
  if (manifest === undefined) return;
  const names = fileNames(parseManifest(manifest, placeOf(staged)));
  for (const name of names) {
    try {
      await moveFile(join(staged, name), join(folder, name));
    } catch (error) {
      // Moved before the crash that we are recovering from.
      if (!(error instanceof BlocklistError) || errnoOf(error.cause) !== 'ENOENT') throw error;
    }
  }
  await removeRetired(folder, names);
  await removeTree(staged);
}

/** Lists of sets that the artefact does not have any more (outbound ones). */
async function removeRetired(folder: string, names: readonly string[]): Promise<void> {
  for (const name of LIST_FILES) {
    if (!names.includes(name)) await removeTree(join(folder, name));
  }
}

function fileNames(manifest: Manifest): string[] {
  return [SCRIPT_FILE, ...Object.keys(manifest.sets).map((name) => `${name}.txt`), MANIFEST_FILE];
}

/** A writer can come in between several times before a reader gives up; each time the reader waits a little longer. */
const TRIES = 10;
const PAUSE_MS = 10;

/**
 * Reads `rules/` as parseArtefact does. A writer holds a lock that readers do not take: when the files do not go together and the
 * manifest was replaced meanwhile, they are read again.
 * @throws BlocklistError `artefact-missing`, `artefact-invalid` with file:line, `file-unreadable`.
 */
export async function readArtefact(folder: string): Promise<Artefact> {
  for (let tried = 1; ; tried++) {
    const before = await manifestStamps(folder);
    try {
      return await parseArtefact(placeOf(folder), (name) => readCurrent(folder, name));
    } catch (error) {
      const isMixed = error instanceof BlocklistError && MIXED.has(error.code);
      if (!isMixed || tried === TRIES || (await manifestStamps(folder)) === before) throw error;
    }
    await pause(PAUSE_MS * tried);
  }
}

/** How files of two artefacts look together. */
const MIXED: ReadonlySet<string> = new Set(['artefact-invalid', 'artefact-missing']);

/** Which files the manifests are, staged and in place. Not their bytes: a writer may have been there twice and left the same ones. */
async function manifestStamps(folder: string): Promise<string> {
  const stamps = [join(folder, STAGED, MANIFEST_FILE), join(folder, MANIFEST_FILE)].map(async (path) => {
    try {
      const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
    } catch (error) {
      // Whatever it is, the read itself has said it.
      return errnoOf(error) ?? 'unknown';
    }
  });
  return (await Promise.all(stamps)).join(', ');
}

/** The manifest alone, unproven. @throws BlocklistError `artefact-missing`, `artefact-invalid`, `file-unreadable` */
export async function requireManifest(folder: string): Promise<Manifest> {
  const place = placeOf(folder);
  return parseManifest((await readCurrent(folder, MANIFEST_FILE)) ?? refuseMissing(place, MANIFEST_FILE), place);
}

/** The same; undefined when there is no artefact or it is damaged. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return await requireManifest(folder);
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}

/** A file of the artefact, where it is staged or where it is in place. */
export async function readCurrent(folder: string, name: string): Promise<Buffer | undefined> {
  const staged = join(folder, STAGED);
  const isCommitted = (await readWhole(join(staged, MANIFEST_FILE), FILE_CAP)) !== undefined;
  return (
    (isCommitted ? await readWhole(join(staged, name), FILE_CAP) : undefined) ??
    (await readWhole(join(folder, name), FILE_CAP))
  );
}

export function placeOf(folder: string): Place {
  return {
    path: folder,
    hints: {
      missing: 'render the rules first: blocklist build',
      damaged: 'the artefact was changed by hand or damaged: run blocklist build, or take it from git again',
    },
  };
}
