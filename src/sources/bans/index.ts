import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../config/load.js';
import type { Source } from '../contract.js';
import type { SourceEnvironment } from '../environment.js';
import { requestOf } from '../request.js';
import { banSource } from './ban-source.js';
import type { Ban, BanReader } from './contract.js';
import { bansOfCrowdsec, type NetworksOf } from './crowdsec.js';
import { scenarioOf } from './crowdsec-scenario.js';
import { bansOfFail2ban } from './fail2ban.js';
import type { Memory } from './repeaters.js';
import { bansOfFile, bansOfUrl } from './shared.js';

/** What readers of bans work with. */
export type ReaderEnvironment = Pick<SourceEnvironment, 'fetcher' | 'state' | 'now'>;

/** The readers of bans that a configuration names, in its order. @throws BlocklistError `config-invalid` */
async function banReaders(
  config: Config,
  { fetcher, state, now }: ReaderEnvironment,
  memory: Memory,
): Promise<BanReader[]> {
  const { bans, fail2ban } = config.sources;
  const own = fail2ban === undefined ? [] : [bansOfFail2ban(fail2ban, { state, now, memory })];
  const shared = await Promise.all(
    bans.map(async (entry) =>
      'file' in entry
        ? bansOfFile(entry.id, entry.file)
        : bansOfUrl(entry.id, await requestOf(config, entry.id, entry), fetcher),
    ),
  );
  return [...own, ...shared];
}

/**
 * The bans that this host made, for others; those that others made are never handed on.
 * @throws BlocklistError when a source of them cannot be read: half of the bans would unban the other half elsewhere.
 */
export async function bansMadeHere(config: Config, environment: ReaderEnvironment): Promise<Ban[]> {
  const readers = (await banReaders(config, environment, 'left')).filter(({ madeBy }) => madeBy === 'this-host');
  const read = await Promise.all(readers.map((reader) => reader.read(undefined)));
  return read.flatMap((each) => (typeof each === 'string' ? [] : each.bans));
}

/** What sources of bans work with. */
interface BanSourceEnvironment extends SourceEnvironment {
  readonly networksOf: NetworksOf;
}

/** The bans of others as sources. */
export async function banSources(config: Config, environment: BanSourceEnvironment): Promise<Source[]> {
  const { cache, state, now } = environment;
  const { guards } = config;
  const limits = {
    maxPrefixV4: guards['max-prefix-v4'],
    maxPrefixV6: guards['max-prefix-v6'],
    maxRejects: guards['max-rejects'],
    maxAgeMs: guards['max-age'],
  };
  const own = { cache: join(cache, 'bans'), seen: join(state, 'seen'), now, limits };
  const readers = [...(await banReaders(config, environment, 'kept')), ...(await crowdsecReaders(config, environment))];
  return readers.map((reader) => banSource(reader, own));
}

/** Apart from the others, as nothing that comes from there is ever handed on as made here. */
async function crowdsecReaders(
  { sources: { crowdsec } }: Config,
  { fetcher, now, networksOf }: BanSourceEnvironment,
): Promise<BanReader[]> {
  if (crowdsec === undefined) return [];
  return [await bansOfCrowdsec(crowdsec, { fetcher, now, networksOf, own: scenarioOf(hostname()) })];
}
