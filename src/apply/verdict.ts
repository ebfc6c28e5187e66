import { type Drift, drift } from './apply.js';
import type { Artefact } from './artefact.js';
import type { LocalContent } from './differences.js';
import { structureDifferences } from './differences.js';
import { type Hold, readHold } from './hold.js';
import { type KeptLoad, keptLoads, readKept } from './kept.js';
import type { LiveTable } from './live.js';
import type { Nft } from './nft.js';
import { isWaiting, type Pending, readPending } from './pending.js';

/**
 * - in-sync: the kernel holds what was reviewed;
 * - outdated: it holds other rules, as they were loaded;
 * - differs: it does not hold what was loaded: flushed, changed, or gone;
 * - not-loaded: nothing was loaded, or a person unloaded it.
 */
export type Verdict = 'in-sync' | 'outdated' | 'differs' | 'not-loaded';

export interface Judged {
  readonly verdict: Verdict;
  /** the table; without elements after a fast look */
  readonly live: LiveTable | undefined;
  /** how the kernel differs from what was loaded last */
  readonly drift: Drift | undefined;
  /** when what is in the kernel was loaded */
  readonly load: KeptLoad | undefined;
  readonly hold: Hold | undefined;
  /** a load that waits for its confirmation */
  readonly waiting: Pending | undefined;
  /** a load that nobody confirmed in time, and that nobody was told of */
  readonly expired: Pending | undefined;
  /** whether it is loaded although its time is over: its way back failed, and left its words in the log */
  readonly isStuck: boolean;
}

export type Look = 'every element' | 'structure';

/** Compares the kernel with what was loaded and with what was reviewed. Changes nothing. */
export async function judge(
  nft: Nft,
  state: string,
  artefact: Artefact,
  local: LocalContent,
  look: Look,
  now: number,
): Promise<Judged> {
  const [live, loads, hold, pending] = await Promise.all([
    nft.structure(),
    keptLoads(state),
    readHold(state),
    readPending(state),
  ]);
  const isOpen = pending !== undefined && (await isWaiting(pending, now));
  const common = {
    hold,
    load: loads.find(({ digest }) => digest === live?.digest),
    waiting: isOpen ? pending : undefined,
    expired: isOpen ? undefined : pending,
    isStuck: pending !== undefined && !isOpen && live?.digest === pending.to,
  };
  if (live === undefined) {
    const wasTaken = hold?.what === 'unloaded' || loads.length === 0 || common.expired?.from === null;
    const gone = { sets: [], structure: ['the table is gone'] };
    return { ...common, verdict: wasTaken ? 'not-loaded' : 'differs', live, drift: wasTaken ? undefined : gone };
  }
  const isCurrent = live.digest === artefact.digest;
  const loaded = isCurrent || live.digest === undefined ? artefact : ((await readKept(state, live.digest)) ?? artefact);
  const target = { artefact: { sets: loaded.sets, digest: live.digest ?? artefact.digest }, local };
  const words = structureDifferences(target.artefact, live).words;
  const found =
    look === 'every element'
      ? await drift(nft, target)
      : words.length === 0 && live.digest !== undefined
        ? undefined
        : { sets: [], structure: words };
  return {
    ...common,
    verdict: found !== undefined ? 'differs' : isCurrent ? 'in-sync' : 'outdated',
    live,
    drift: found,
  };
}
