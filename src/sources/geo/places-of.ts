import type { Config } from '../../config/load.js';
import { IpSet } from '../../ip/index.js';
import type { GeoKind } from './contract.js';
import { tableOnDisk } from './offline.js';
import { labelOfAsn, labelOfCountry } from './table.js';
import { UNKNOWN_COUNTRY, unknownTo } from './unknown.js';

/**
 * The sets of countries or networks by the ids of their sources, by the databases as they are on this machine: one walk over them, and nothing is
 * written. Undefined when they are not there. @throws BlocklistError `bad-database`, `file-unreadable`
 */
export async function placesOf(
  kind: GeoKind,
  ids: readonly string[],
  config: Config,
  cache: string,
): Promise<ReadonlyMap<string, IpSet> | undefined> {
  const table = await tableOnDisk(config, cache, kind);
  if (table === undefined) return undefined;
  const labels = ids.map((id) => labelOf(kind, id));
  const sets = table.setsOf(labels);
  const setOf = (id: string, i: number) => (id === UNKNOWN_COUNTRY ? unknownTo(table) : sets.get(labels[i] ?? NONE));
  return new Map(ids.map((id, i) => [id, setOf(id, i) ?? IpSet.empty]));
}

/** A label that no country and no network has. */
const NONE = 0;

function labelOf(kind: GeoKind, id: string): number {
  const name = id.slice(id.indexOf('-') + 1);
  return (kind === 'country' ? labelOfCountry(name) : labelOfAsn(name)) ?? NONE;
}
