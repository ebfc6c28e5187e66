import { join } from 'node:path';
import type { Config } from '../../config/load.js';
import type { Source } from '../contract.js';
import type { SourceEnvironment } from '../environment.js';
import { ownRequest } from '../own-request.js';
import { banSource } from './ban-source.js';
import type { BanReader } from './contract.js';
import { bansOfFail2ban } from './fail2ban.js';
import { bansOfFile, bansOfUrl } from './shared.js';

/** The readers of bans that a configuration names, in its order. @throws BlocklistError `config-invalid` */
async function banReaders(
  config: Config,
  { fetcher, state, now }: Pick<SourceEnvironment, 'fetcher' | 'state' | 'now'>,
): Promise<BanReader[]> {
  const { bans, fail2ban } = config.sources;
  const own = fail2ban === undefined ? [] : [bansOfFail2ban(fail2ban, { state, now })];
  const shared = await Promise.all(
    bans.map(async (entry) =>
      'file' in entry
        ? bansOfFile(entry.id, entry.file)
        : bansOfUrl(entry.id, await ownRequest(entry, config.file), fetcher),
    ),
  );
  return [...own, ...shared];
}

/** The bans of others as sources. */
export async function banSources(config: Config, environment: SourceEnvironment): Promise<Source[]> {
  const { cache, state, now } = environment;
  const { guards } = config;
  const limits = {
    maxPrefixV4: guards['max-prefix-v4'],
    maxPrefixV6: guards['max-prefix-v6'],
    maxRejects: guards['max-rejects'],
    maxAgeMs: guards['max-age'],
  };
  const own = { cache: join(cache, 'bans'), seen: join(state, 'seen'), now, limits };
  return (await banReaders(config, environment)).map((reader) => banSource(reader, own));
}
