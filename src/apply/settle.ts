import { BlocklistError } from '../errors.js';
import { removeTree } from '../io/write.js';
import { hold } from './hold.js';
import type { Nft } from './nft.js';
import { closePending, isWaiting, pendingFile, readPending } from './pending.js';
import { disarm, wayBackFile } from './watchdog.js';

/** What became of the last load that was to be confirmed. */
export type Settled = 'nothing was open' | 'it stays' | 'it went back';

/**
 * Before the rules are changed: nothing changes them while a load waits. One that nobody confirmed in time is forgotten, and when it went back, that
 * is held as if a person had done it: the night must not load again what may have locked everybody out.
 * @throws BlocklistError `unconfirmed` while a load waits: what is changed now would be lost with the way back, or lose it.
 */
export async function settle(nft: Nft, state: string, now: number): Promise<Settled> {
  const pending = await readPending(state);
  if (pending === undefined) {
    // Killed between arming and writing it down, an apply leaves a watchdog that nobody knows: it finds nothing to load.
    await removeTree(wayBackFile(state));
    return 'nothing was open';
  }
  if (await isWaiting(pending, now)) {
    const seconds = Math.ceil((pending.deadline - now) / 1000);
    throw new BlocklistError(
      'unconfirmed',
      `a load waits for its confirmation, ${seconds} s more; nothing was changed`,
      {
        where: pendingFile(state),
        hint: 'blocklist confirm keeps it, blocklist rollback goes back at once',
      },
    );
  }
  // Disarmed first, then looked: what is loaded now stays.
  await disarm(pending.watchdog);
  const wentBack = (await nft.structure())?.digest !== pending.to;
  if (wentBack) await holdBefore(state, pending.from, pending.deadline, 'the way back, as nobody confirmed');
  await closePending(state, pending);
  return wentBack ? 'it went back' : 'it stays';
}

/** The night keeps what stood before a load. @param from its digest; null when there was none */
export async function holdBefore(state: string, from: string | null, at: number, by: string): Promise<void> {
  await hold(state, from === null ? { what: 'unloaded', at, by } : { what: 'rolled-back', at, by, digest: from });
}
