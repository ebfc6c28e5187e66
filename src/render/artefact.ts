import type { OnlySets, RuleSets, SourceShare } from '../build/build.js';
import { countAddresses, type FourSets, slicePrefixes } from '../ip/index.js';
import { loadCommands } from './commands.js';
import { namedSets } from './layout.js';
import { type AllowedList, digestOf, type Manifest, manifestOf, policyOf, renderLists } from './manifest.js';
import { differsAt, elementLines, printText } from './nft-text.js';

export const SCRIPT_FILE = 'blocklist.nft';
export const MANIFEST_FILE = 'manifest.json';

/** The nft script that loads these sets, from any earlier state of our table, in one transaction. */
export function renderNft(sets: RuleSets): Uint8Array {
  const lists = renderLists(sets);
  return renderScript(sets, digestOf(lists, policyOf(sets)), lists);
}

/** The files of `rules/` by name, in the order in which they are written: the manifest last. `allow`: what the sets are without. */
export function renderArtefact(
  sets: RuleSets,
  shares: readonly SourceShare[],
  allow: readonly AllowedList[] = [],
): Map<string, Uint8Array> {
  const lists = renderLists(sets);
  const digest = digestOf(lists, policyOf(sets));
  return filesOf(renderScript(sets, digest, lists), lists, manifestOf(sets, digest, shares, allow));
}

/** The files from what is rendered already. */
export function filesOf(
  script: Uint8Array,
  lists: ReadonlyMap<string, Uint8Array>,
  manifest: Manifest,
): Map<string, Uint8Array> {
  return new Map([
    [SCRIPT_FILE, script],
    ...lists,
    [MANIFEST_FILE, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)],
  ]);
}

/** The script with the first `size` elements of each set alone: enough for nft to judge the rules, in milliseconds. */
export function renderSample(sets: RuleSets, size: number): Uint8Array {
  const few = (four: FourSets) => ({
    nodes4: slicePrefixes(four.nodes4, 0, size),
    nets4: slicePrefixes(four.nets4, 0, size),
    nodes6: slicePrefixes(four.nodes6, 0, size),
    nets6: slicePrefixes(four.nets6, 0, size),
  });
  const fewOnly = ({ nets4, nets6, ports }: OnlySets) => ({
    nets4: slicePrefixes(nets4, 0, size),
    nets6: slicePrefixes(nets6, 0, size),
    ports,
  });
  return renderNft({
    in: few(sets.in),
    ...(sets.out === undefined ? {} : { out: few(sets.out) }),
    ...(sets.only === undefined ? {} : { only: fewOnly(sets.only) }),
    ...(sets.policy === undefined ? {} : { policy: sets.policy }),
  });
}

/** renderNft for sets whose digest is known, and perhaps their lists. */
export function renderScript(sets: RuleSets, digest: string, lists = renderLists(sets)): Uint8Array {
  return printText(headerOf(sets, digest), loadCommands(sets, digest), (elements) => {
    const list = lists.get(`${elements.set.name}.txt`);
    if (list === undefined) throw new Error(`no list of ${elements.set.name}`);
    return elementLines(list, elements);
  });
}

/** Where a script differs from renderScript, −1 when it is the same. Nothing is rendered: `listOf` has the text of each set. */
export function scriptDiffersAt(
  script: Uint8Array,
  sets: RuleSets,
  digest: string,
  listOf: (name: string) => Uint8Array,
): number {
  return differsAt(script, headerOf(sets, digest), loadCommands(sets, digest), listOf);
}

function headerOf(sets: RuleSets, digest: string): string[] {
  return [
    'Rendered by blocklist from the plain lists beside this file. Load: blocklist apply, or nft -f this file.',
    digest,
    ...namedSets(sets).map(
      ({ name, prefixes }) => `${name}: ${prefixes.size} prefixes, ${countAddresses(prefixes)} addresses`,
    ),
  ];
}
