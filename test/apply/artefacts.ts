import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Artefact, readArtefact, writeArtefact } from '../../src/apply/artefact-store.js';
import type { RuleSets } from '../../src/build/build.js';
import type { Policy } from '../../src/build/policy.js';
import { BlocklistError, fourSets, IpSet } from '../../src/ip/index.js';
import { renderArtefact } from '../../src/render/artefact.js';
import { DEFAULT_POLICY } from '../../src/render/default-policy.js';

function ruleSets(inward: readonly string[], outward?: readonly string[], policy?: Partial<Policy>): RuleSets {
  return {
    in: fourSets(IpSet.from(inward)),
    ...(outward === undefined ? {} : { out: fourSets(IpSet.from(outward)) }),
    ...(policy && { policy: { ...DEFAULT_POLICY, ...policy } }),
  };
}

/** Lists of allowed addresses by their ids. */
export type Allowed = Readonly<Record<string, readonly string[]>>;

/** The files of an artefact that blocks these. */
export function filesOf(
  inward: readonly string[],
  outward?: readonly string[],
  policy?: Partial<Policy>,
  allowed: Allowed = {},
): Map<string, Uint8Array> {
  const lists = Object.entries(allowed).map(([id, prefixes]) => ({ id, set: IpSet.from(prefixes) }));
  return renderArtefact(ruleSets(inward, outward, policy), [], lists);
}

/** Runs with an empty folder that is removed afterwards. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'blocklist-artefact-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An artefact as it is read from a folder. */
export function artefactOf(
  inward: readonly string[],
  outward?: readonly string[],
  policy?: Partial<Policy>,
): Promise<Artefact> {
  return inFolder(async (folder) => {
    await writeArtefact(folder, filesOf(inward, outward, policy));
    return readArtefact(folder);
  });
}

/** Every file below a folder with its text. */
export async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = names.map(async (name) => [name.slice(folder.length + 1), await readFile(name, 'utf8')] as const);
  return Object.fromEntries(await Promise.all(texts));
}

/** The error that a promise is rejected with, which must be one of the program's own. */
export async function refusal(work: Promise<unknown>): Promise<BlocklistError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof BlocklistError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
