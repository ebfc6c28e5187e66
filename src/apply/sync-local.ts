import { BlocklistError } from '../errors.js';
import { localSpecs } from '../render/commands.js';
import type { LocalContent } from './differences.js';
import type { LiveTable } from './live.js';
import { localCommands } from './local-sets.js';
import type { Nft } from './nft.js';

/**
 * Brings the host-local sets to what they should hold, element by element, in a transaction of its own. Sets that are absent or of another type are
 * left to the next full load.
 * @param live with the elements of these sets, as Nft.situation reads it
 * @throws BlocklistError as Nft.load
 */
export async function syncLocal(nft: Nft, local: LocalContent, live: LiveTable): Promise<void> {
  const names = localSpecs()
    .filter(({ name, type, flags }) => live.kinds.get(name) === [type, ...flags].join(' '))
    .map(({ name }) => name);
  let found: LocalContent = new Map(names.map((name) => [name, live.local.get(name) ?? []]));
  for (let attempt = 1; ; attempt++) {
    try {
      return await nft.commit(localCommands(local, found));
    } catch (error) {
      // An element whose time ran out between the look and the change fails the whole of it: look again.
      const mayBeGone = error instanceof BlocklistError && error.code === 'nft-refused';
      if (!mayBeGone || attempt === 3) throw error;
      found = await nft.localSets(names);
    }
  }
}
