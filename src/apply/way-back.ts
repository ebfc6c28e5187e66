import { declarations, loadCommands } from '../render/commands.js';
import { FAMILY, TABLE } from '../render/layout.js';
import { printText } from '../render/nft-text.js';
import { setDifferences, structureDifferences } from './differences.js';
import type { Nft } from './nft.js';
import type { Situation } from './plan.js';

/**
 * A script of one transaction that brings the kernel back to where it is now, whatever an apply does to it: for plain `nft -f`. Host-local sets keep
 * what they hold then, unless the table has to be made anew. To be asked for before the load.
 */
export async function wayBack(nft: Nft, { live, base }: Situation): Promise<Uint8Array> {
  if (live === undefined)
    return Buffer.concat([printText(['Back to: no table of ours'], NOTHING), Buffer.from(REMOVAL)]);
  if (base !== undefined && live.digest === base.digest) {
    return printText([`Back to ${base.digest}`], loadCommands(base.sets, base.digest, live.names));
  }
  // Not ours, or altered: as it is, to the letter. The table is made anew, so for some milliseconds its nets are open.
  const removal = Buffer.concat([printText(['Back to what stood here'], NOTHING), Buffer.from(REMOVAL)]);
  return Buffer.concat([removal, await nft.snapshot()]);
}

/**
 * The same, to the letter also where somebody changed what was loaded: every element is read for that. For loads that may take all the time in
 * the world, as a person waits for what becomes of them.
 */
export async function exactWayBack(nft: Nft, situation: Situation): Promise<Uint8Array> {
  const { live, base } = situation;
  const found = live === undefined || base === undefined ? undefined : await nft.contents();
  if (found === undefined || base === undefined) return wayBack(nft, situation);
  const isAltered =
    setDifferences({ artefact: base, local: new Map() }, found).length > 0 ||
    structureDifferences(base, found).words.length > 0;
  return wayBack(nft, isAltered ? { live, base: undefined } : situation);
}

/** `add` before `delete` makes the deletion right whether or not the table is there. */
const NOTHING = declarations([]).slice(0, 1);
const REMOVAL = `delete table ${FAMILY} ${TABLE}\n`;
