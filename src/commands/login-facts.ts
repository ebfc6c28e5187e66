import { readLocalEntries } from '../apply/local-entries.js';
import type { Listing } from '../build/explain.js';
import { explain } from '../build/explain.js';
import type { AddressFacts, Listed } from '../check/logins/rule.js';
import { countriesOf } from '../config/continents.js';
import { parseConfig } from '../config/load.js';
import { BlocklistError } from '../errors.js';
import { type Prefix, PrefixIndex, singleAddress, specialPurpose } from '../ip/index.js';
import type { Unread } from '../logins/gather.js';
import type { Context, GlobalOptions } from './context.js';
import { foldersOf, type Project } from './project.js';
import { openHoldings } from './provenance.js';
import { openSpared } from './spared.js';

/** What this host knows of the addresses that somebody came in from. */
export interface LoginFacts {
  readonly of: (address: string) => AddressFacts;
  readonly unread: readonly Unread[];
}

const DAY_MS = 86_400_000;
const KIND: Readonly<Record<Listing['source']['kind'], Listed['what']>> = {
  feed: 'list',
  file: 'list',
  country: 'country',
  asn: 'network',
  bans: 'ban',
};

/** By the lists, databases and decisions of this host: nobody is asked. @param project undefined: without a configuration only countries are known */
export async function loginFacts(
  addresses: readonly string[],
  project: Project | undefined,
  options: GlobalOptions,
  context: Context,
): Promise<LoginFacts> {
  const special = specialPurpose();
  const blocks = new Map<string, Prefix>();
  for (const address of addresses) {
    const block = singleAddress(address);
    if (block !== undefined && !special.has(block)) blocks.set(address, block);
  }
  const all = [...blocks.values()];
  const unread: Unread[] = [];
  const attempt = async <T>(name: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BlocklistError)) throw error;
      unread.push({ name, why: error.message, hint: error.hint });
      return undefined;
    }
  };
  const known = project ?? (await withoutConfiguration(context));
  const holdings = await attempt('lists', () => openHoldings(known, all, options, context));
  for (const { id, problem } of holdings?.unread ?? []) {
    unread.push({ name: id, why: problem.message, hint: problem.hint });
  }
  const geo = holdings === undefined ? undefined : await attempt('country database', holdings.geo);
  const spared = await attempt('what is allowed', () => openSpared(all, known));
  const entries =
    (await attempt('decisions of this host', () => readLocalEntries(known.bansState, context.now()))) ?? [];
  const decisions = new PrefixIndex(entries, ({ prefix }) => prefix);
  const { only } = known.config.sources.countries;
  const mayEnter = only === undefined ? undefined : new Set(countriesOf(only).map(({ code }) => code));
  const factsOf = (block: Prefix): AddressFacts => {
    const country = geo?.countryOf(block);
    const { listings } = explain(block, holdings?.held ?? [], undefined);
    const decided = decisions.touching(block);
    const bans = decided.filter(({ what }) => what === 'ban');
    return {
      place: 'public',
      country,
      network: geo?.networkOf(block),
      listed: [
        ...listings.map(
          ({ source, days }): Listed => ({
            source: source.id,
            what: KIND[source.kind],
            since: days === undefined ? undefined : days.first * DAY_MS,
          }),
        ),
        ...bans.map(({ since, by }): Listed => ({ source: by ?? 'a ban of this host', what: 'ban', since })),
      ],
      isAllowed: decided.some(({ what }) => what === 'allow') || (spared?.of(block) ?? []).length > 0,
      isKeptOut: mayEnter !== undefined && country !== undefined && !mayEnter.has(country),
    };
  };
  const answers = new Map<string, AddressFacts>();
  return {
    of: (address) => {
      const block = blocks.get(address);
      if (block === undefined) return SPECIAL;
      const known = answers.get(address) ?? factsOf(block);
      answers.set(address, known);
      return known;
    },
    unread,
  };
}

const SPECIAL: AddressFacts = {
  place: 'special',
  country: undefined,
  network: undefined,
  listed: [],
  isAllowed: false,
  isKeptOut: false,
};

/** As with an empty file in a folder that is not there: no lists, and the countries that ship with this program. */
async function withoutConfiguration(context: Context): Promise<Project> {
  const config = parseConfig('{}', '/nonexistent/blocklist.yaml');
  return { config, ...(await foldersOf(undefined, context)) };
}
