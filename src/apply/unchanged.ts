import { join } from 'node:path';
import type { RuleSets } from '../build/build.js';
import { readWhole } from '../io/read.js';
import { MANIFEST_FILE, SCRIPT_FILE } from '../render/artefact.js';
import { policyFrom, type RenderedPolicy } from '../render/manifest.js';
import { type Artefact, FILE_CAP, parseManifest } from './artefact.js';
import { placeOf, readCurrent } from './artefact-store.js';
import { keptFolder, keptLoads, setsOfLists } from './kept.js';

/**
 * The artefact in a folder when every byte of it is as in the copy of an earlier load: it was proven then, so an hour without news costs no proof. Its
 * sets are parsed only when they are asked for. Undefined for any other, which readArtefact reads.
 */
export async function readUnchanged(state: string, folder: string): Promise<Artefact | undefined> {
  const bytes = await readCurrent(folder, MANIFEST_FILE);
  for (const { digest } of [...(await keptLoads(state))].reverse()) {
    const kept = keptFolder(state, digest);
    const copy = await readWhole(join(kept, MANIFEST_FILE), FILE_CAP);
    if (bytes === undefined || copy === undefined || !bytes.equals(copy)) continue;
    const manifest = parseManifest(copy, placeOf(kept));
    const names = Object.keys(manifest.sets).map((name) => `${name}.txt`);
    const files = await Promise.all(
      [SCRIPT_FILE, ...names].map(async (name) => {
        const [here, there] = await Promise.all([readCurrent(folder, name), readWhole(join(kept, name), FILE_CAP)]);
        return here !== undefined && there?.equals(here) === true ? here : undefined;
      }),
    );
    const [script, ...texts] = files;
    const lists = new Map(names.flatMap((name, i) => (texts[i] === undefined ? [] : [[name, texts[i]] as const])));
    if (script === undefined || lists.size !== names.length || manifest.digest !== digest) return undefined;
    return { folder, digest, manifest, script, lists, sets: whenAsked(lists, manifest.policy, kept) };
  }
  return undefined;
}

function whenAsked(lists: ReadonlyMap<string, Uint8Array>, policy: RenderedPolicy, kept: string): RuleSets {
  let parsed: RuleSets | undefined;
  const sets = (): RuleSets => {
    parsed ??= setsOfLists(lists, policy);
    if (parsed === undefined) throw new RangeError(`the kept copy ${kept} was proven and cannot be read`);
    return parsed;
  };
  const lazy = {
    get in() {
      return sets().in;
    },
    policy: policyFrom(policy),
  };
  // Keys that are there say what the rules have: without asking for the sets.
  if (lists.has('out_nodes4.txt')) Object.defineProperty(lazy, 'out', { get: () => sets().out, enumerable: true });
  if (policy.only !== undefined) Object.defineProperty(lazy, 'only', { get: () => sets().only, enumerable: true });
  return lazy;
}
