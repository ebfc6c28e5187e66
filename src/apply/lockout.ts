import { BlocklistError } from '../errors.js';
import { formatPrefix, IpSet, type Prefix } from '../ip/index.js';
import { namedSets } from '../render/commands.js';
import type { Artefact } from './artefact-store.js';

/**
 * Refuses an artefact that would drop what the administrators send.
 * @throws BlocklistError `lockout` with the address and the block that covers it.
 */
export function requireAdminsPass(artefact: Artefact, admins: readonly Prefix[]): void {
  for (const admin of admins) {
    const mine = IpSet.from([admin]);
    for (const { name, side, prefixes } of namedSets(artefact.sets)) {
      if (side !== 'in' || prefixes.family !== admin.family) continue;
      const hit = IpSet.ofPrefixes(prefixes).intersect(mine);
      if (hit.isEmpty) continue;
      const [first] = hit.prefixes();
      throw new BlocklistError(
        'lockout',
        `the rules would drop ${first === undefined ? '' : formatPrefix(first)}, an address of local.admins (set ${name}); nothing was changed`,
        {
          where: artefact.folder,
          hint: `put ${formatPrefix(admin)} into a file of allow.files and run blocklist build`,
        },
      );
    }
  }
}
