import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { RuleSets } from '../build/build.js';
import { BlocklistError } from '../errors.js';
import { readWhole } from '../io/read.js';
import { readState, writeState } from '../io/state-file.js';
import { removeTree } from '../io/write.js';
import { type Family, type FourSets, IPV4, IPV6, parseRendered, type SetKey } from '../ip/index.js';
import { filesOf, MANIFEST_FILE } from '../render/artefact.js';
import { SET_NAMES } from '../render/layout.js';
import { digestOf, type Manifest, policyFrom, type RenderedPolicy } from '../render/manifest.js';
import { type Artefact, FILE_CAP, parseManifest } from './artefact.js';
import { placeOf, readArtefact, readManifest, writeArtefact } from './artefact-store.js';
import type { Content } from './differences.js';

/** Artefacts that were loaded, the newest last: the way back, and what the next change is counted from. */
const KEPT = 5;

const schema = z.strictObject({
  version: z.literal(1),
  loads: z.array(z.strictObject({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/), at: z.number() })),
});
/** One load: digest, and milliseconds since 1970. */
export type KeptLoad = z.output<typeof schema>['loads'][number];

const folderOf = (state: string) => join(state, 'kept');
const indexOf = (state: string) => join(folderOf(state), 'loads.json');
/** Where a load is kept, by its digest. */
export const keptFolder = (state: string, digest: string) =>
  join(folderOf(state), digest.replace('sha256:', '').slice(0, 16));

/** What was loaded on this host, the newest last. @throws BlocklistError `state-invalid` */
export async function keptLoads(state: string): Promise<readonly KeptLoad[]> {
  return (await readState(indexOf(state), schema))?.loads ?? [];
}

/** Puts the files of what is being loaded aside. May go on beside the load: until `recordLoad` nothing counts on them. */
export async function stash(state: string, { digest, manifest, script, lists }: Artefact): Promise<void> {
  await writeArtefact(keptFolder(state, digest), filesOf(script, lists, manifest));
}

/** Notes that what was put aside is loaded now. The oldest go. */
export async function recordLoad(state: string, digest: string, at: number): Promise<void> {
  const before = await keptLoads(state);
  if (before.at(-1)?.digest === digest) return;
  const loads = [...before.filter((each) => each.digest !== digest), { digest, at }].slice(-KEPT);
  await writeState(indexOf(state), { version: 1, loads });
  const wanted = new Set(loads.map((each) => basename(keptFolder(state, each.digest))));
  for (const name of await readdir(folderOf(state))) {
    if (/^[0-9a-f]{16}$/.test(name) && !wanted.has(name)) await removeTree(join(folderOf(state), name));
  }
}

/** The manifest of what was loaded last, as it was proven then; `none` before the first load. */
export async function loadedManifest(state: string): Promise<Manifest | 'none' | 'damaged'> {
  try {
    const last = (await keptLoads(state)).at(-1);
    return last === undefined ? 'none' : ((await readManifest(keptFolder(state, last.digest))) ?? 'damaged');
  } catch (error) {
    if (error instanceof BlocklistError && error.code === 'state-invalid') return 'damaged';
    throw error;
  }
}

/** Whether it is put aside with this very manifest: who is allowed may change while the sets, and so the digest, do not. */
export async function isStashed(state: string, { digest, manifest }: Artefact): Promise<boolean> {
  return isDeepStrictEqual(await readManifest(keptFolder(state, digest)), manifest);
}

/** The artefact that was loaded with this digest; undefined when it is not kept, or damaged. */
export async function readKept(state: string, digest: string): Promise<Artefact | undefined> {
  try {
    const artefact = await readArtefact(keptFolder(state, digest));
    return artefact.digest === digest ? artefact : undefined;
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}

/** Only the lists of readKept, for a change to be counted from: the digest shows that they are as they were proven then. */
export async function readKeptContent(state: string, digest: string): Promise<Content | undefined> {
  const lists = new Map<string, Buffer>();
  for (const name of SET_NAMES.map((each) => `${each}.txt`)) {
    const bytes = await readWhole(join(keptFolder(state, digest), name), FILE_CAP);
    if (bytes !== undefined) lists.set(name, bytes);
  }
  const policy = await keptPolicy(keptFolder(state, digest));
  if (policy === undefined || digestOf(lists, policy) !== digest) return undefined;
  const sets = setsOfLists(lists, policy);
  return sets && { digest, sets };
}

/** As the kept manifest has it, unproven. */
async function keptPolicy(folder: string): Promise<RenderedPolicy | undefined> {
  const bytes = await readWhole(join(folder, MANIFEST_FILE), FILE_CAP);
  try {
    return bytes && parseManifest(bytes, placeOf(folder)).policy;
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}

/** The sets of lists that are known to be as they were rendered; undefined when one is missing. */
export function setsOfLists(lists: ReadonlyMap<string, Uint8Array>, rendered: RenderedPolicy): RuleSets | undefined {
  const { only } = rendered;
  const prefixesOf = (name: string, family: Family) => {
    const bytes = lists.get(`${name}.txt`);
    const read = bytes && parseRendered(bytes, family);
    return read?.ok ? read.prefixes : undefined;
  };
  const four = (prefix: '' | 'out_'): FourSets | undefined => {
    const of = (key: SetKey) => prefixesOf(`${prefix}${key}`, key.endsWith('4') ? IPV4 : IPV6);
    const [nodes4, nets4, nodes6, nets6] = [of('nodes4'), of('nets4'), of('nodes6'), of('nets6')];
    return nodes4 && nets4 && nodes6 && nets6 && { nodes4, nets4, nodes6, nets6 };
  };
  const [inward, outward] = [four(''), four('out_')];
  const [only4, only6] = [prefixesOf('only_nets4', IPV4), prefixesOf('only_nets6', IPV6)];
  const alone = only && only4 && only6 && { nets4: only4, nets6: only6, ports: only.ports };
  if (inward === undefined || (only !== undefined && alone === undefined)) return undefined;
  const policy = policyFrom(rendered);
  return { in: inward, ...(outward && { out: outward }), ...(alone && { only: alone }), policy };
}
