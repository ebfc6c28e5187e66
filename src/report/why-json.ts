import { dateText, isoText } from '../io/figures.js';
import { formatPrefix, type Prefix, type SeenDays } from '../ip/index.js';
import type { Unread } from '../sources/holding.js';
import { type Answer, countIn, type RulesState } from './why.js';

const DAY_MS = 86_400_000;

/**
 * `blocklist/why`, version 1, in pieces: the answers to a million questions are more than one text can hold. Days are dates in UTC, counts are text. A
 * history is written when a list changes: until then what is on it counts as seen with its data. Country and network are those of the first address.
 */
export function* whyJson(
  answers: Iterable<Answer>,
  rules: RulesState,
  unread: readonly Unread[],
): Generator<string, void, undefined> {
  const head = {
    schema: 'blocklist/why',
    version: 1,
    rules: {
      digest: rules.digest ?? null,
      policy: rules.policy ?? null,
      built: dateJson(rules.built),
      loaded: rules.loaded,
    },
    unread: unread.map(({ id, problem: { code, message } }) => ({ id, code, problem: message })),
  };
  yield `${JSON.stringify(head).slice(0, -1)},"answers":[`;
  let isFirst = true;
  for (const answer of answers) {
    yield `${isFirst ? '' : ','}${JSON.stringify(answerJson(answer, rules))}`;
    isFirst = false;
  }
  yield ']}\n';
}

function answerJson(answer: Answer, { dateOf }: RulesState): object {
  const { block, explained, network } = answer;
  const text = (prefix: Prefix | undefined) => (prefix === undefined ? null : formatPrefix(prefix));
  const count = (set: Parameters<typeof countIn>[0]) => String(countIn(set, block));
  const blocked = answer.blocked;
  return {
    address: formatPrefix(block),
    verdict: answer.verdict,
    decidedBy: answer.decidedBy,
    blocked: { in: count(blocked.in), out: count(blocked.out) },
    inKernel: answer.inKernel ?? null,
    rules: (answer.rules ?? []).map(({ set, side, prefixes, element, part }) => ({
      set,
      side,
      element: text(element),
      prefixes,
      addresses: count(part),
    })),
    keptOut:
      answer.keptOut === undefined ? null : { addresses: count(answer.keptOut.part), ports: answer.keptOut.ports },
    sources: explained.listings.map(({ source: { id, kind, direction }, part, entry, days, details }) => ({
      id,
      kind,
      direction,
      entry: text(entry),
      addresses: count(part),
      ...daysJson(days && { ...days, last: Math.max(days.last, Math.floor((dateOf(id) ?? 0) / DAY_MS)) }),
      date: dateJson(dateOf(id)),
      details,
    })),
    density: explained.dense.map(({ source, prefix, nodes }) => ({ source, net: formatPrefix(prefix), nodes })),
    left: explained.left.map(({ id, days }) => ({ id, ...daysJson(days) })),
    neverBlocked: answer.spared.map(({ by, where, entry, words, part }) => ({
      by,
      where,
      entry: text(entry),
      words,
      addresses: count(part),
    })),
    decisions: answer.decisions.map(({ prefix, since, until, ...rest }) => ({
      ...rest,
      prefix: formatPrefix(prefix),
      since: dateJson(since),
      until: dateJson(until),
    })),
    letThrough: answer.letThrough.map(({ prefix, what }) => ({ prefix: formatPrefix(prefix), what })),
    hits: answer.hits ?? null,
    country: answer.country ?? null,
    network: network === undefined ? null : { asn: network.asn, name: network.name },
  };
}

function daysJson(days: SeenDays | undefined) {
  const date = (day: number | undefined) => (day === undefined ? null : dateText(day * DAY_MS));
  return { firstSeen: date(days?.first), lastSeen: date(days?.last) };
}

function dateJson(ms: number | undefined): string | null {
  return ms === undefined ? null : isoText(ms);
}
