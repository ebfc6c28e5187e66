import type { RuleSets, SourceShare } from '../build/build.js';
import { countAddresses, type FourSets, type Prefixes } from '../ip/index.js';
import { loadCommands, namedSets } from './commands.js';
import { digestOf, manifestOf, renderLists } from './manifest.js';
import { type NftJson, printJson } from './nft-json.js';
import { printText } from './nft-text.js';

export const SCRIPT_FILE = 'blocklist.nft';
export const MANIFEST_FILE = 'manifest.json';

/** The nft script that loads these sets, from any earlier state of our table, in one transaction. */
export function renderNft(sets: RuleSets): Uint8Array {
  return renderScript(sets, digestOf(renderLists(sets)));
}

/** The same transaction as renderNft, as libnftables JSON for `nft -j -f`. */
export function renderNftJson(sets: RuleSets): NftJson {
  return printJson(loadCommands(sets, digestOf(renderLists(sets))));
}

/** The files of `rules/` by name, in the order in which they are written: the manifest last. */
export function renderArtefact(sets: RuleSets, shares: readonly SourceShare[]): Map<string, Uint8Array> {
  const lists = renderLists(sets);
  const digest = digestOf(lists);
  const manifest = manifestOf(sets, digest, shares);
  return new Map([
    [SCRIPT_FILE, renderScript(sets, digest)],
    ...lists,
    [MANIFEST_FILE, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)],
  ]);
}

/** How many elements of each set stand in renderSample. */
export const SAMPLE_SIZE = 1000;

/** The script with the first elements of each set alone: enough for nft to judge the rules, in milliseconds. */
export function renderSample(sets: RuleSets): Uint8Array {
  const few = (four: FourSets) => ({
    nodes4: firstOf(four.nodes4),
    nets4: firstOf(four.nets4),
    nodes6: firstOf(four.nodes6),
    nets6: firstOf(four.nets6),
  });
  return renderNft({ in: few(sets.in), ...(sets.out === undefined ? {} : { out: few(sets.out) }) });
}

function firstOf({ family, size, words, lengths }: Prefixes): Prefixes {
  const count = Math.min(size, SAMPLE_SIZE);
  return { family, size: count, words: words.subarray(0, count * family.words), lengths: lengths.subarray(0, count) };
}

/** renderNft for sets whose digest is known. */
export function renderScript(sets: RuleSets, digest: string): Uint8Array {
  const header = [
    'Rendered by blocklist from the plain lists beside this file. Load: blocklist apply, or nft -f this file.',
    digest,
    ...namedSets(sets).map(
      ({ name, prefixes }) => `${name}: ${prefixes.size} prefixes, ${countAddresses(prefixes)} addresses`,
    ),
  ];
  return printText(header, loadCommands(sets, digest));
}
