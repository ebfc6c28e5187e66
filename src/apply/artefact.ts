import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { OnlySets, RuleSets } from '../build/build.js';
import { BlocklistError } from '../errors.js';
import {
  type Family,
  type FourSets,
  firstOverlap,
  IPV4,
  IPV6,
  type Prefixes,
  readCanonical,
  type SetKey,
} from '../ip/index.js';
import { MANIFEST_FILE, SCRIPT_FILE, scriptDiffersAt } from '../render/artefact.js';
import { namedSets, SET_NAMES } from '../render/layout.js';
import {
  allowedIn,
  allowText,
  digestOf,
  type Manifest,
  manifestOf,
  manifestSchema,
  policyFrom,
  policyOf,
} from '../render/manifest.js';

/** An artefact, read strictly and proven consistent. */
export interface Artefact {
  /** where it is: a folder, or `main:rules` in a repository */
  readonly folder: string;
  readonly sets: RuleSets;
  readonly digest: string;
  readonly manifest: Manifest;
  /** `blocklist.nft`, byte for byte our own rendering of the sets */
  readonly script: Uint8Array;
  /** the plain lists by file name, a prefix a line */
  readonly lists: ReadonlyMap<string, Uint8Array>;
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
export const LIST_FILES: readonly string[] = SET_NAMES.map((name) => `${name}.txt`);

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
  const { only } = manifest.policy;
  const hasOut = Object.keys(manifest.sets).some((name) => name.startsWith('out_'));
  const sets: RuleSets = {
    in: await readSets(place, required, ''),
    ...(hasOut ? { out: await readSets(place, required, 'out_') } : {}),
    ...(only === undefined ? {} : { only: await readOnly(place, required, only.ports) }),
    policy: policyFrom(manifest.policy),
  };
  requireCanonical(manifest, place);
  const lists = new Map<string, Uint8Array>();
  for (const { name } of namedSets(sets)) lists.set(`${name}.txt`, await required(`${name}.txt`));
  const digest = digestOf(lists, policyOf(sets));
  const script = await required(SCRIPT_FILE);
  const differing = scriptDiffersAt(script, sets, digest, (name) => lists.get(`${name}.txt`) ?? new Uint8Array());
  if (differing >= 0) {
    const line = script.subarray(0, differing).toString('latin1').split('\n').length;
    throw damaged(place, SCRIPT_FILE, 'this line is not what we render from the lists', line);
  }
  if (manifest.digest !== digest) {
    throw damaged(place, MANIFEST_FILE, `its digest is ${manifest.digest}, the lists have ${digest}`);
  }
  const { sets: figures } = manifestOf(sets, digest, []);
  if (!isDeepStrictEqual(manifest.sets, figures)) {
    throw damaged(place, MANIFEST_FILE, 'its figures are not those of the lists');
  }
  requireRendered(manifest, place);
  return { folder: place.path, sets, digest, manifest, script, lists };
}

/** The manifest alone, unproven. @throws BlocklistError `artefact-invalid`. */
export function parseManifest(bytes: Buffer, place: Place): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw damaged(place, MANIFEST_FILE, `it is not JSON: ${String(cause)}`);
  }
  // Read once: compiling the schema takes longer than using it as it is.
  const checked = manifestSchema.safeParse(value, { jitless: true });
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw damaged(place, MANIFEST_FILE, `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'wrong'}`);
}

/** Who is allowed decides whom a ban spares, so it must be what we render, too. */
function requireRendered(manifest: Manifest, place: Place): void {
  try {
    if (isDeepStrictEqual(manifest.allow ?? [], allowText(allowedIn(manifest)))) return;
  } catch (error) {
    if (!(error instanceof BlocklistError)) throw error;
    throw damaged(place, MANIFEST_FILE, `allow: ${error.message}`);
  }
  throw damaged(place, MANIFEST_FILE, 'allow: not in canonical form (sorted, minimal)');
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
  const read = async (key: SetKey) => {
    const name = `${prefix}${key}.txt`;
    const prefixes = readFamily(place, name, await required(name), key.endsWith('4') ? IPV4 : IPV6);
    requireKind(place, name, prefixes, key.startsWith('nodes') ? 'nodes' : 'nets');
    return prefixes;
  };
  const [nodes4, nets4, nodes6, nets6] = [
    await read('nodes4'),
    await read('nets4'),
    await read('nodes6'),
    await read('nets6'),
  ];
  for (const [nodes, nets, name] of [
    [nodes4, nets4, 'nodes4'],
    [nodes6, nets6, 'nodes6'],
  ] as const) {
    const inside = firstOverlap(nodes, nets);
    if (inside >= 0) throw damaged(place, `${prefix}${name}.txt`, `${NOT_CANONICAL}: a net covers it`, inside + 1);
  }
  return { nodes4, nets4, nodes6, nets6 };
}

const NOT_CANONICAL = 'this line is not in canonical form (sorted, minimal)';

/** In another order it would be another policy: what stands there must be what we render. */
function requireCanonical({ policy: { ports = [], skipInterfaces = [], only } }: Manifest, place: Place): void {
  for (const [key, values] of Object.entries({ ports, skipInterfaces, 'only.ports': only?.ports ?? [] })) {
    if (values.some((value, i) => i > 0 && value <= (values[i - 1] ?? 0)))
      throw damaged(place, MANIFEST_FILE, `policy.${key}: not ascending`);
  }
}

async function readOnly(place: Place, required: ReadRequired, ports: readonly number[]): Promise<OnlySets> {
  const read = async (name: string, family: Family) => readFamily(place, name, await required(name), family);
  return { nets4: await read('only_nets4.txt', IPV4), nets6: await read('only_nets6.txt', IPV6), ports };
}

/** One list; anything but canonical addresses of its family is refused with its line. */
function readFamily(place: Place, name: string, bytes: Buffer, family: Family): Prefixes {
  const read = readCanonical(bytes, family);
  if (!read.ok) throw damaged(place, name, read.problem, read.line);
  return read.prefixes;
}

function requireKind(place: Place, name: string, { family, lengths }: Prefixes, kind: 'nodes' | 'nets'): void {
  const wrong = lengths.findIndex((length) => (length === family.bits) !== (kind === 'nodes'));
  if (wrong < 0) return;
  const words = kind === 'nodes' ? 'a net among single addresses' : 'a single address among nets';
  throw damaged(place, name, words, wrong + 1);
}
