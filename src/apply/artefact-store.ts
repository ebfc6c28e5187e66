import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { RuleSets } from '../build/build.js';
import { BlocklistError } from '../errors.js';
import { errnoOf, readWhole } from '../io/read.js';
import { moveFile, removeTree, writeAtomic } from '../io/write.js';
import { type FourSets, fourSets, IpSet, readList, SET_KEYS } from '../ip/index.js';
import { MANIFEST_FILE, renderScript, SCRIPT_FILE } from '../render/artefact.js';
import { digestOf, type Manifest, manifestOf, manifestSchema, renderLists } from '../render/manifest.js';

/** What is in `rules/`, read strictly and proven consistent. */
export interface Artefact {
  readonly folder: string;
  readonly sets: RuleSets;
  readonly digest: string;
  readonly manifest: Manifest;
  /** our own rendering of the sets, byte for byte the same as `blocklist.nft` */
  readonly script: Uint8Array;
}

/** Above any real file of an artefact: ten million prefixes. */
const FILE_CAP = 1 << 28;

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
  const names = fileNames(parseManifest(manifest, staged));
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
  for (const name of SET_KEYS.flatMap((key) => [`${key}.txt`, `out_${key}.txt`])) {
    if (!names.includes(name)) await removeTree(join(folder, name));
  }
}

function fileNames(manifest: Manifest): string[] {
  return [SCRIPT_FILE, ...Object.keys(manifest.sets).map((name) => `${name}.txt`), MANIFEST_FILE];
}

/**
 * Reads `rules/`. Nothing of it is trusted: the lists must be canonical (sorted, minimal, disjoint), the script must be, byte for
 * byte, what we render from them, and the manifest must carry their digest.
 * @throws BlocklistError `artefact-missing`, `artefact-invalid` with file:line, `file-unreadable`.
 */
export async function readArtefact(folder: string): Promise<Artefact> {
  const manifest = parseManifest(await required(folder, MANIFEST_FILE), folder);
  const hasOut = Object.keys(manifest.sets).some((name) => name.startsWith('out_'));
  const sets: RuleSets = {
    in: await readSets(folder, ''),
    ...(hasOut ? { out: await readSets(folder, 'out_') } : {}),
  };
  const lists = renderLists(sets);
  for (const [name, bytes] of lists) requireSame(folder, name, await required(folder, name), bytes);
  const digest = digestOf(lists);
  const script = renderScript(sets, digest);
  requireSame(folder, SCRIPT_FILE, await required(folder, SCRIPT_FILE), script);
  if (manifest.digest !== digest) {
    throw invalid(join(folder, MANIFEST_FILE), `its digest is ${manifest.digest}, the lists have ${digest}`);
  }
  const { sets: figures } = manifestOf(sets, digest, []);
  if (!isDeepStrictEqual(manifest.sets, figures)) {
    throw invalid(join(folder, MANIFEST_FILE), 'its figures are not those of the lists');
  }
  return { folder, sets, digest, manifest, script };
}

/** One list; anything but addresses of its family is refused with its line. */
function readOne(path: string, bytes: Buffer, version: 4 | 6): IpSet {
  let read: ReturnType<typeof readList>;
  try {
    read = readList(bytes, { column: 'none' });
  } catch (error) {
    throw error instanceof BlocklistError ? invalid(`${path}:1`, error.message) : error;
  }
  const [bad] = read.report.samples;
  if (bad !== undefined) throw invalid(`${path}:${bad.line}`, bad.reason);
  const other = version === 4 ? read.set.v6 : read.set.v4;
  if (other.size === 0) return read.set;
  const isOther = (line: string) => line !== '' && line.includes(':') === (version === 4);
  const line = bytes.toString('latin1').split('\n').findIndex(isOther) + 1;
  throw invalid(`${path}:${line}`, `an address of the other family in a list of IPv${version}`);
}

/** The manifest alone, unproven; undefined when there is no artefact or it is damaged. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return parseManifest(await required(folder, MANIFEST_FILE), folder);
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}

async function readSets(folder: string, prefix: '' | 'out_'): Promise<FourSets> {
  let all = IpSet.empty;
  for (const key of SET_KEYS) {
    const name = `${prefix}${key}.txt`;
    const set = readOne(join(folder, name), await required(folder, name), key.endsWith('4') ? 4 : 6);
    all = all.union(set);
  }
  return fourSets(all);
}

async function required(folder: string, name: string): Promise<Buffer> {
  const staged = join(folder, STAGED);
  const isCommitted = (await readWhole(join(staged, MANIFEST_FILE), FILE_CAP)) !== undefined;
  const bytes =
    (isCommitted ? await readWhole(join(staged, name), FILE_CAP) : undefined) ??
    (await readWhole(join(folder, name), FILE_CAP));
  if (bytes !== undefined) return bytes;
  throw new BlocklistError('artefact-missing', `there is no ${join(folder, name)}`, {
    where: join(folder, name),
    hint: 'render the rules first: blocklist build',
  });
}

function parseManifest(bytes: Buffer, folder: string): Manifest {
  const where = join(folder, MANIFEST_FILE);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw invalid(where, `it is not JSON: ${String(cause)}`);
  }
  const checked = manifestSchema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw invalid(where, `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'wrong'}`);
}

function requireSame(folder: string, name: string, found: Buffer, expected: Uint8Array): void {
  if (Buffer.compare(found, expected) === 0) return;
  let at = 0;
  let line = 1;
  while (at < found.length && found[at] === expected[at]) if (found[at++] === 0x0a) line++;
  const kind =
    name === SCRIPT_FILE ? 'is not what we render from the lists' : 'is not in canonical form (sorted, minimal)';
  throw invalid(`${join(folder, name)}:${line}`, `this line ${kind}`);
}

function invalid(where: string, what: string): BlocklistError {
  return new BlocklistError('artefact-invalid', `${where}: ${what}`, {
    where,
    hint: 'the artefact was changed by hand or damaged: run blocklist build, or take it from git again',
  });
}
