import type { Config } from '../config/load.js';
import { BlocklistError } from '../errors.js';
import type { IpSet } from '../ip/index.js';
import type { NetworksOf } from './bans/crowdsec.js';
import { bundledCountryDatabase, countrySources } from './geo/country-source.js';

/** Networks by what they are, for those who name them that way. */
export function networksBy(config: Config): NetworksOf {
  return async (scope, keys) => {
    if (scope === 'as') {
      throw new BlocklistError('config-invalid', 'an AS decision needs geo.asn', { where: config.file });
    }
    const sources = countrySources(keys, config.paths['country-database'] ?? bundledCountryDatabase());
    const found = new Map<string, IpSet>();
    for (const [i, source] of sources.entries()) {
      try {
        found.set(keys[i] ?? '', (await source.load('avoid')).set);
      } catch (error) {
        if (!(error instanceof BlocklistError) || error.code !== 'source-empty') throw error;
      }
    }
    return found;
  };
}
