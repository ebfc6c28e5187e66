import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../config/load.js';
import type { BlocklistError } from '../../errors.js';
import type { Source } from '../contract.js';
import type { SourceEnvironment } from '../environment.js';
import type { Fetcher } from '../fetcher.js';
import { requestOf } from '../request.js';
import { banSource } from './ban-source.js';
import type { Ban, BanReader } from './contract.js';
import { bansOfCrowdsec, type NetworksOf } from './crowdsec.js';
import { scenarioOf } from './crowdsec-scenario.js';
import { bansOfFail2ban } from './fail2ban.js';
import type { Memory } from './repeaters.js';
import { bansOfFile, bansOfUrl } from './shared.js';

type OwnEnvironment = Pick<SourceEnvironment, 'state' | 'now'>;

/** Readers of bans that were made on this host. */
function readersOfThisHost(
  { sources: { fail2ban } }: Config,
  environment: OwnEnvironment,
  memory: Memory,
): BanReader[] {
  return fail2ban === undefined ? [] : [bansOfFail2ban(fail2ban, { ...environment, memory })];
}

/** Readers of bans that other hosts exported, in the order of the configuration. @throws BlocklistError `config-invalid` */
function readersOfOthers(config: Config, fetcher: Fetcher): Promise<BanReader[]> {
  return Promise.all(
    config.sources.bans.map(async (entry) =>
      'file' in entry
        ? bansOfFile(entry.id, entry.file)
        : bansOfUrl(entry.id, await requestOf(config, entry.id, entry), fetcher),
    ),
  );
}

/** The bans that this host made, and what is the matter with them. */
export interface MadeHere {
  readonly bans: readonly Ban[];
  readonly problems: readonly BlocklistError[];
}

/**
 * The bans that this host made, for others; those that others made are never handed on.
 * @throws BlocklistError when a source of them cannot be read: half of the bans would unban the other half elsewhere.
 */
export async function bansMadeHere(config: Config, { state, now }: OwnEnvironment): Promise<MadeHere> {
  const readers = readersOfThisHost(config, { state, now }, 'left');
  const read = await Promise.all(readers.map((reader) => reader.read(undefined)));
  const found = read.filter((each) => typeof each !== 'string');
  return {
    bans: found.flatMap(({ bans }) => bans),
    problems: found.flatMap(({ problem }) => (problem === undefined ? [] : [problem])),
  };
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
  const readers = [
    ...readersOfThisHost(config, { state, now }, 'kept'),
    ...(await readersOfOthers(config, environment.fetcher)),
    ...(await crowdsecReaders(config, environment)),
  ];
  return readers.map((reader) => banSource(reader, own));
}

async function crowdsecReaders(
  { sources: { crowdsec } }: Config,
  { fetcher, now, networksOf }: BanSourceEnvironment,
): Promise<BanReader[]> {
  if (crowdsec === undefined) return [];
  return [await bansOfCrowdsec(crowdsec, { fetcher, now, networksOf, own: scenarioOf(hostname()) })];
}
