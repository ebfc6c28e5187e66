import type { Config } from '../config/load.js';
import { BlocklistError } from '../errors.js';
import type { IpSet } from '../ip/index.js';
import type { NetworksOf } from './bans/crowdsec.js';
import type { Databases } from './geo/databases.js';
import { labelOfCountry } from './geo/table.js';

/** Networks by what they are, for those who name them that way. */
export function networksBy({ geo, file }: Config, databases: Databases): NetworksOf {
  return async (scope, keys) => {
    const kind = scope === 'as' ? 'asn' : 'country';
    if (kind === 'asn' && geo.asn === undefined) {
      throw new BlocklistError('config-invalid', 'an AS decision needs geo.asn', { where: file });
    }
    // Decisions are read only by a run that asks the network.
    const { table } = await databases.tableOf(kind, 'use');
    const labels = new Map(keys.map((key) => [key, kind === 'asn' ? Number(key) : labelOfCountry(key)]));
    const sets = table.setsOf([...labels.values()].filter((label) => label !== undefined));
    const found = [...labels].map(([key, label]) => [key, label === undefined ? undefined : sets.get(label)] as const);
    return new Map(found.filter((entry): entry is [string, IpSet] => entry[1] !== undefined && !entry[1].isEmpty));
  };
}
