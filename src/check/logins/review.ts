import { parseAddress } from '../../ip/index.js';
import type { Visit } from '../../logins/visit.js';
import { fingerprintOf } from '../finding.js';
import type { Found } from './found.js';
import type { Knowledge } from './knowledge.js';
import type { AddressFacts, Case, Expected, LoginRule, Objection } from './rule.js';
import { LOGIN_RULES } from './rules.js';
import { type Desk, suggestionFor } from './suggest.js';
import { networkName } from './whereabouts.js';

/** What a review of logins is given. */
export interface ReviewInput {
  /** in the order of time */
  readonly visits: readonly Visit[];
  readonly factsOf: (address: string) => AddressFacts;
  readonly expected: Expected;
  /** learns as the review goes on */
  readonly knowledge: Knowledge;
  readonly admins: ReadonlySet<string>;
  readonly isLive: (visit: Visit) => boolean;
  /** findings that a person accepted: these logins are as usual as any other */
  readonly isAccepted: (fingerprint: string) => boolean;
  readonly desk: Desk;
}

/** Judges every login with what was known before it, and learns from those that nobody objects to. Not collapsed. */
export function reviewLogins(input: ReviewInput): Found[] {
  const found: Found[] = [];
  const before = new Map<string, NonNullable<Case['before']>>();
  const hasPam = usesPam(input.visits);
  for (const visit of input.visits) {
    const address = visit.address === undefined ? undefined : input.factsOf(visit.address);
    const each: Case = {
      visit,
      address,
      isExpectedNet: visit.address !== undefined && input.expected.nets.has(parseAddress(visit.address)),
      expected: input.expected,
      knowledge: input.knowledge,
      before: before.get(visit.user),
      admins: input.admins,
      isLive: input.isLive(visit),
      hasPam,
    };
    const objections = LOGIN_RULES.flatMap((rule) => objectionOf(rule, each) ?? []);
    const own = objections.map((objection) => findingOf(objection, each, input.desk));
    found.push(...own);
    const isClean = own.every(({ fingerprint }) => input.isAccepted(fingerprint));
    if (address !== undefined && isClean) {
      const network = networkName(visit.address, address.network?.asn);
      input.knowledge.learn(visit, address.place === 'public' ? address.country : undefined, network);
    }
    if (address?.place === 'public') before.set(visit.user, { visit, country: address.country });
  }
  return found;
}

/** Whether pam tells of the logins that only a log has, of most of them at least: logs may be filtered. */
function usesPam(visits: readonly Visit[]): boolean {
  const logged = visits.filter(({ writer, service }) => writer === 'anyone' && service === 'sshd');
  const opened = logged.filter(({ isOpened }) => isOpened === true).length;
  return opened > 0 && opened >= logged.length / 2;
}

function objectionOf(rule: LoginRule, each: Case): Objection | undefined {
  if (rule.inLearning === 'silent' && each.knowledge.isLearning(each.visit)) return undefined;
  return rule.judge(each);
}

function findingOf({ code, severity, words, evidence }: Objection, each: Case, desk: Desk): Found {
  const { visit, address } = each;
  const country = address?.country ?? null;
  // The same for the same person from the same place, whatever the hour.
  const place = networkName(visit.address, undefined) ?? visit.peer ?? null;
  const fingerprint = fingerprintOf(code, [
    visit.user,
    country,
    place,
    code === 'LOGIN-NEW-KEY' ? (visit.key ?? null) : null,
  ]);
  return {
    code,
    severity,
    fingerprint,
    what: `${visitWords(visit, address)}: ${words}`,
    words,
    evidence: {
      user: visit.user,
      address: visit.address ?? null,
      country,
      service: visit.service,
      method: visit.method ?? null,
      ...evidence,
      records: visit.places,
    },
    ...suggestionFor(code, visit, fingerprint, desk),
    first: visit.time,
    last: visit.last,
    times: visit.times,
    visit,
    address,
  };
}

/** `alice from 203.0.113.7 (de, AS64500 Example)`: not escaped. */
export function visitWords(visit: Visit, address: AddressFacts | undefined): string {
  const from = visit.address ?? visit.peer ?? 'this host';
  const network = address?.network === undefined ? undefined : `AS${address.network.asn} ${address.network.name}`;
  const known = [address?.country, network].filter((each) => each !== undefined).join(', ');
  return `${visit.user || 'somebody'} from ${from}${known === '' ? '' : ` (${known})`} by ${visit.service}`;
}
