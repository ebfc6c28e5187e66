import { join } from 'node:path';
import { BlocklistError } from '../../errors.js';
import { minuteText } from '../../io/figures.js';
import { type Address, entryOf, type IpSet, PrefixIndex, partIn } from '../../ip/index.js';
import type { Holding, NamedSource } from '../holding.js';
import { SeenFile } from '../seen-file.js';
import type { Ban } from './contract.js';
import { inForce, isInForce } from './in-force.js';
import { keptBansFile, readKeptBans } from './kept-bans.js';

/** Where the last update left bans. */
export interface BanPlace {
  /** folder of what is kept of all sources of bans */
  readonly cache: string;
  /** folder of the histories */
  readonly seen: string;
  /** what questions will be about */
  readonly regions: IpSet;
}

/** The bans of a source that were in force with the last update. @throws BlocklistError `source-never-fetched` */
export async function bansHolding(named: NamedSource, { cache, seen, regions }: BanPlace): Promise<Holding> {
  const kept = await readKeptBans(keptBansFile(cache, named.id));
  if (kept === undefined) {
    throw new BlocklistError('source-never-fetched', 'its bans are not known on this host: they were never read here', {
      where: named.id,
      hint: 'ask where the rules are built, or run blocklist update here',
    });
  }
  const { bans, date } = kept;
  const { set, nodes } = inForce(bans, date);
  let index: PrefixIndex<Ban> | undefined;
  const bansOf = (address: Address) => {
    // Made for whom an address concerns, of the bans that any question is about.
    index ??= new PrefixIndex(
      bans.filter((ban) => isInForce(ban, date) && !partIn(regions, ban.prefix).isEmpty),
      ({ prefix }) => prefix,
    );
    return index.touching({ ...address, length: address.family.bits });
  };
  const daysOf = new SeenFile(join(seen, named.id)).days({ set, at: date }, regions);
  return {
    ...named,
    partOf: (block) => {
      const part = partIn(set, block);
      return part.isEmpty ? undefined : { set: part, nodes: partIn(nodes, block) };
    },
    entryOf: (block) => entryOf(set, block),
    daysOf,
    detailsOf: (address) => bansOf(address).map(wordsOf),
  };
}

/** `fail2ban sshd on web1, since 2026-11-23 22:01 UTC until 2026-11-30 22:01 UTC, 3 times: port scan` */
function wordsOf({ by, host, since, until, count, reason }: Ban): string {
  const who = `${by ?? 'banned'}${host === undefined ? '' : ` on ${host}`}`;
  const time = until === undefined ? 'for good' : `until ${minuteText(until)}`;
  const often = count === undefined || count < 2 ? '' : `, ${count} times`;
  return `${who}, since ${minuteText(since)} ${time}${often}${reason === undefined ? '' : `: ${reason}`}`;
}
