import { BlocklistError } from '../errors.js';
import type { Prefix } from '../ip/index.js';
import { type KernelName, LISTED_NAMES, type LocalSetName } from '../render/layout.js';
import type { Counted } from '../report/hits.js';
import { hostOf } from '../report/host-hits.js';
import type { RulesState } from '../report/why.js';
import type { Context } from './context.js';

/** What the kernel holds, for a user who may ask it. */
export interface Kernel {
  readonly loaded: RulesState['loaded'];
  /** whether its sets of listed addresses hold one */
  readonly lists: (address: Prefix) => Promise<boolean>;
  /** whether its first rule lets an address through; undefined where it holds no rules of ours, or cannot be asked */
  readonly letsThrough: ((address: Prefix) => Promise<boolean>) | undefined;
  /** what was dropped of its host, while the rules remember it */
  readonly dropped: (address: Prefix) => Promise<Counted | undefined>;
}

const silent = (loaded: 'none' | 'unknown'): Kernel => ({
  loaded,
  lists: async () => false,
  letsThrough: undefined,
  dropped: async () => undefined,
});

/** Asks nft for the digest of what is loaded. As root alone: others may not ask. */
export async function askKernel(digest: string | undefined, { uid }: Context): Promise<Kernel> {
  if (uid !== 0) return silent('unknown');
  const { Nft } = await import('../apply/nft.js');
  const nft = new Nft();
  try {
    const live = await nft.structure();
    if (live === undefined) return silent('none');
    const anyHolds = (names: readonly (KernelName | LocalSetName)[]) => async (address: Prefix) => {
      const version = String(address.family.version);
      const own = names.filter((name) => live.kinds.has(name) && name.replace('_b', '').endsWith(version));
      return (await Promise.all(own.map((name) => nft.holds(name, address)))).includes(true);
    };
    const isSame = live.digest !== undefined && live.digest === digest;
    return {
      loaded: isSame ? 'these' : 'others',
      lists: anyHolds(LISTED_NAMES.map(live.names)),
      letsThrough: anyHolds(['allow4', 'allow6']),
      dropped: async (address) => {
        const set = address.family.version === 4 ? 'seen4' : 'seen6';
        return live.kinds.has(set) ? nft.seenOf(set, hostOf(address)) : undefined;
      },
    };
  } catch (error) {
    if (error instanceof BlocklistError) return silent('unknown');
    throw error;
  }
}
