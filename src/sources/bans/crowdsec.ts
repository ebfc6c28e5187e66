import type { CrowdsecEntry } from '../../config/crowdsec-schema.js';
import { BlocklistError } from '../../errors.js';
import { openBody } from '../../io/archive.js';
import { formatPrefix, type IpSet } from '../../ip/index.js';
import type { Fetcher, ListRequest } from '../fetcher.js';
import { refuseHtml } from '../guards.js';
import { readKey } from '../key-file.js';
import type { Ban, BanReader, BansRead } from './contract.js';
import { type DecisionsRead, readDecisions, type Wanted, type WantedDecision } from './crowdsec-decisions.js';
import { refusalOf } from './crowdsec-refusal.js';
import { isInForce } from './in-force.js';

/** The networks of countries (two letters, lower case) or of autonomous systems (digits); what is not known is not in the map. @throws BlocklistError */
export type NetworksOf = (scope: 'country' | 'as', keys: readonly string[]) => Promise<ReadonlyMap<string, IpSet>>;

/** What the reader needs of the world. */
export interface CrowdsecEnvironment {
  readonly fetcher: Fetcher;
  readonly now: () => number;
  readonly networksOf: NetworksOf;
  /** scenario of what this host pushes: it is not taken back */
  readonly own: string;
}

/** 100,000 decisions are 14 MB, and those that were over in the last week come with them. */
const CAP = 1 << 27;

/**
 * Decisions of CrowdSec's local API. Each time everything is asked for that is in force (startup=true): a deleted decision is not
 * among it, nothing has to be remembered, and another bouncer with its own key loses nothing. The other form, with what changed since the
 * last question, pays for a daemon that asks every ten seconds; 100,000 decisions in one answer take the API 1.6 s, once a night.
 *
 * All of them (dedup=false): of several about one address the API would tell only the one that ends last, and looks for it before it looks at
 * origins and at what is only simulated (longestDecisionForScopeTypeValue in its pkg/database/decisions.go). One that is left out would hide one
 * that blocks.
 */
export async function bansOfCrowdsec(entry: CrowdsecEntry, environment: CrowdsecEnvironment): Promise<BanReader> {
  const { scopes, origins } = entry;
  const request = await requestOf(entry);
  const { url } = request;
  const { fetcher, now, networksOf, own } = environment;
  return {
    id: 'crowdsec',
    place: 'away',
    // Whoever else wants them asks the API, which knows who may have the lists of others.
    origin: url,
    read: async (known) => {
      const { bytes, at } = await answerOf(request, fetcher, now);
      refuseHtml(bytes, url);
      const read = readDecisions(bytes, url, { scopes, origins, own } satisfies Wanted, at);
      const { bans, ...rest } = await bansOf(read, at, networksOf, url);
      return { ...rest, bans: longest(bans, known?.bans ?? [], at), date: at };
    },
  };
}

async function requestOf({ url, scopes, origins, timeout, 'key-file': keyFile }: CrowdsecEntry): Promise<ListRequest> {
  // The API knows no more than the origin itself; the name of a list is looked at here.
  const bases = [...new Set((origins ?? []).map(baseOf))].map(encodeURIComponent);
  const query = `startup=true&dedup=false&scopes=${scopes.join(',')}${bases.length === 0 ? '' : `&origins=${bases.join(',')}`}`;
  return {
    url: `${url.replace(/\/+$/, '')}/v1/decisions/stream?${query}`,
    key: { value: await readKey(keyFile), in: { header: 'X-Api-Key' } },
    // The operator wrote this host down.
    target: 'any',
    timeoutMs: timeout * 1000,
    intervalMs: 0,
  };
}

function baseOf(origin: string): string {
  return origin.replace(/:.*/s, '');
}

/** Asked with every update, also right after a refusal: it is the operator's own server, and a deletion must not wait. */
async function answerOf(
  request: ListRequest,
  fetcher: Fetcher,
  now: () => number,
): Promise<{ readonly bytes: Buffer; readonly at: number }> {
  const { url: where } = request;
  try {
    const answer = await fetcher.get(request, 'now', { maxBytes: CAP });
    const at = now();
    if (answer.kind === 'body') return { ...(await openBody(answer.body, { cap: CAP, where })), at };
  } catch (error) {
    throw error instanceof BlocklistError ? refusalOf(error, where) : error;
  }
  throw new BlocklistError('http-failed', 'CrowdSec answered 304 to a question without a condition', { where });
}

/**
 * Countries and networks are written out here, so that what is kept of them, their end too, is as with any other ban. That is 12,412 lines for
 * China, 2 MB.
 */
async function bansOf(
  { decisions, rejected, samples, leftOut }: DecisionsRead,
  since: number,
  networksOf: NetworksOf,
  where: string,
): Promise<Omit<BansRead, 'date'>> {
  const made = ({ until, origin, scenario }: WantedDecision) => ({
    since,
    until,
    by: origin.slice(0, LONGEST_TEXT),
    reason: scenario.slice(0, LONGEST_TEXT),
  });
  const bans: Ban[] = [];
  const lost: string[] = [];
  for (const decision of decisions) {
    if ('prefix' in decision.target) bans.push({ prefix: decision.target.prefix, ...made(decision) });
  }
  for (const scope of ['country', 'as'] as const) {
    const wholes = decisions.filter(({ target }) => target.scope === scope);
    if (wholes.length === 0) continue;
    const { networks, problem } = await known(scope, [...new Set(wholes.map(keyOf))], networksOf);
    for (const decision of wholes) {
      const set = networks.get(keyOf(decision));
      if (set === undefined) lost.push(nameOf(decision, problem));
      else for (const prefix of set.prefixes()) bans.push({ prefix, ...made(decision) });
    }
  }
  const read = { bans, written: decisions.length, rejected, samples, leftOut: Object.fromEntries(leftOut) };
  if (lost.length === 0) return read;
  return { ...read, problem: notKnown([...new Set(lost)], where) };
}

/**
 * Of those that say the same of an address the one that ends last. When it was made is not told: it is known since it was first read here, without a
 * break.
 */
function longest(bans: readonly Ban[], before: readonly Ban[], at: number): Ban[] {
  const keyOf = ({ prefix, by, reason }: Ban) => `${formatPrefix(prefix)} ${by} ${reason}`;
  const known = new Map(before.filter((ban) => isInForce(ban, at)).map((ban) => [keyOf(ban), ban.since]));
  const found = new Map<string, Ban>();
  for (const ban of bans) {
    const key = keyOf(ban);
    const { since, until = 0 } = found.get(key) ?? { since: known.get(key) ?? ban.since };
    if ((ban.until ?? 0) > until) found.set(key, { ...ban, since });
  }
  return [...found.values()];
}

const LONGEST_TEXT = 200;

function keyOf({ target }: WantedDecision): string {
  return 'key' in target ? target.key : '';
}

async function known(
  scope: 'country' | 'as',
  keys: readonly string[],
  networksOf: NetworksOf,
): Promise<{ readonly networks: ReadonlyMap<string, IpSet>; readonly problem?: BlocklistError }> {
  try {
    return { networks: await networksOf(scope, keys) };
  } catch (problem) {
    if (!(problem instanceof BlocklistError)) throw problem;
    return { networks: new Map(), problem };
  }
}

function nameOf(decision: WantedDecision, problem: BlocklistError | undefined): string {
  const name = decision.target.scope === 'as' ? `AS${keyOf(decision)}` : keyOf(decision);
  return problem === undefined ? name : `${name} (${problem.message})`;
}

function notKnown(names: readonly string[], where: string): BlocklistError {
  const shown = names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
  return new BlocklistError('source-suspect', `decisions about networks that no database here knows: ${shown}`, {
    where,
    hint: 'a decision about a country needs geo.country, one about an AS needs geo.asn; the others are used',
  });
}
