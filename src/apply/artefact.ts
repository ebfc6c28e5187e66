import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { RuleSets } from '../build/build.js';
import { BlocklistError } from '../errors.js';
import { type FourSets, fourSets, IpSet, readList, SET_KEYS } from '../ip/index.js';
import { MANIFEST_FILE, renderScript, SCRIPT_FILE } from '../render/artefact.js';
import { digestOf, type Manifest, manifestOf, manifestSchema, renderLists } from '../render/manifest.js';

/** An artefact, read strictly and proven consistent. */
export interface Artefact {
  /** where it is: a folder, or `main:rules` in a repository */
  readonly folder: string;
  readonly sets: RuleSets;
  readonly digest: string;
  readonly manifest: Manifest;
  /** our own rendering of the sets, byte for byte the same as `blocklist.nft` */
  readonly script: Uint8Array;
}

/** Where the files of an artefact are, for messages. */
export interface Place {
  /** what stands in front of a name of a file: a folder, or `main:rules` */
  readonly path: string;
  /** what to do when a file is not there, and when one is not as it should be */
  readonly hints: { readonly missing: string; readonly damaged: string };
}

/** The bytes of a file of the artefact by its name, undefined when there is none. */
export type ReadFile = (name: string) => Promise<Buffer | undefined>;

/** Above any real file of an artefact, bytes: ten million prefixes. */
export const FILE_CAP = 1 << 28;

/** The lists that an artefact can have. */
export const LIST_FILES: readonly string[] = SET_KEYS.flatMap((key) => [`${key}.txt`, `out_${key}.txt`]);

/**
 * Reads an artefact. Nothing of it is trusted: the lists must be canonical (sorted, minimal, disjoint), the script must be, byte for
 * byte, what we render from them, and the manifest must carry their digest.
 * @throws BlocklistError `artefact-missing`, `artefact-invalid` with file:line, and what `read` throws.
 */
export async function parseArtefact(place: Place, read: ReadFile): Promise<Artefact> {
  const known = new Map<string, Buffer>();
  // Each file once: what is compared below is what the sets were made of, whoever writes meanwhile.
  const required = async (name: string) => {
    const bytes = known.get(name) ?? (await read(name)) ?? refuseMissing(place, name);
    known.set(name, bytes);
    return bytes;
  };
  const manifest = parseManifest(await required(MANIFEST_FILE), place);
  const hasOut = Object.keys(manifest.sets).some((name) => name.startsWith('out_'));
  const sets: RuleSets = {
    in: await readSets(place, required, ''),
    ...(hasOut ? { out: await readSets(place, required, 'out_') } : {}),
  };
  const lists = renderLists(sets);
  for (const [name, bytes] of lists) requireSame(place, name, await required(name), bytes);
  const digest = digestOf(lists);
  const script = renderScript(sets, digest);
  requireSame(place, SCRIPT_FILE, await required(SCRIPT_FILE), script);
  if (manifest.digest !== digest) {
    throw damaged(place, MANIFEST_FILE, `its digest is ${manifest.digest}, the lists have ${digest}`);
  }
  const { sets: figures } = manifestOf(sets, digest, []);
  if (!isDeepStrictEqual(manifest.sets, figures)) {
    throw damaged(place, MANIFEST_FILE, 'its figures are not those of the lists');
  }
  return { folder: place.path, sets, digest, manifest, script };
}

/** The manifest alone, unproven. @throws BlocklistError `artefact-invalid`. */
export function parseManifest(bytes: Buffer, place: Place): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw damaged(place, MANIFEST_FILE, `it is not JSON: ${String(cause)}`);
  }
  const checked = manifestSchema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw damaged(place, MANIFEST_FILE, `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'wrong'}`);
}

export function refuseMissing({ path, hints }: Place, name: string): never {
  const where = join(path, name);
  throw new BlocklistError('artefact-missing', `there is no ${where}`, { where, hint: hints.missing });
}

/** `line` is 1 for the first. */
export function damaged({ path, hints }: Place, name: string, what: string, line?: number): BlocklistError {
  const where = `${join(path, name)}${line === undefined ? '' : `:${line}`}`;
  return new BlocklistError('artefact-invalid', `${where}: ${what}`, { where, hint: hints.damaged });
}

type ReadRequired = (name: string) => Promise<Buffer>;

async function readSets(place: Place, required: ReadRequired, prefix: '' | 'out_'): Promise<FourSets> {
  let all = IpSet.empty;
  for (const key of SET_KEYS) {
    const name = `${prefix}${key}.txt`;
    const set = readOne(place, name, await required(name), key.endsWith('4') ? 4 : 6);
    all = all.union(set);
  }
  return fourSets(all);
}

/** One list; anything but addresses of its family is refused with its line. */
function readOne(place: Place, name: string, bytes: Buffer, version: 4 | 6): IpSet {
  let read: ReturnType<typeof readList>;
  try {
    read = readList(bytes, { column: 'none' });
  } catch (error) {
    throw error instanceof BlocklistError ? damaged(place, name, error.message, 1) : error;
  }
  const [bad] = read.report.samples;
  if (bad !== undefined) throw damaged(place, name, bad.reason, bad.line);
  const other = version === 4 ? read.set.v6 : read.set.v4;
  if (other.size === 0) return read.set;
  const isOther = (line: string) => line !== '' && line.includes(':') === (version === 4);
  const line = bytes.toString('latin1').split('\n').findIndex(isOther) + 1;
  throw damaged(place, name, `an address of the other family in a list of IPv${version}`, line);
}

function requireSame(place: Place, name: string, found: Buffer, expected: Uint8Array): void {
  if (Buffer.compare(found, expected) === 0) return;
  let at = 0;
  let line = 1;
  while (at < found.length && found[at] === expected[at]) if (found[at++] === 0x0a) line++;
  const kind =
    name === SCRIPT_FILE ? 'is not what we render from the lists' : 'is not in canonical form (sorted, minimal)';
  throw damaged(place, name, `this line ${kind}`, line);
}
