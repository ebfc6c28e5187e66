import { dateText, isoText } from '../../io/figures.js';
import type { Severity } from '../finding.js';
import type { Case, Listed, LoginRule } from './rule.js';

/** Somebody came in from an address that is listed. When it was listed later, the login itself broke no rule. */
export const blockedAddress: LoginRule = {
  code: 'LOGIN-BLOCKED-ADDR',
  inLearning: 'speaks',
  judge: (each) => {
    const { visit, address } = each;
    if (address === undefined || address.isAllowed) return undefined;
    const lists = address.listed.filter(({ what }) => what !== 'country');
    if (lists.length === 0) return undefined;
    const isLater = lists.every(({ since }) => since !== undefined && since > visit.last);
    const names = lists.map(({ source }) => source);
    const since = earliest(lists);
    const when = since === undefined ? '' : ` since ${dateText(since)}`;
    return {
      code: 'LOGIN-BLOCKED-ADDR',
      severity: severityOf(each, isLater ? 'medium' : 'high'),
      words: `its address is listed by ${shortList(names)}${when}${isLater ? ', after this login' : ''}`,
      evidence: { sources: names, listedSince: since === undefined ? null : isoText(since), isLater },
    };
  },
};

/** Somebody came in from a country that is blocked, or is none of those that alone may. */
export const blockedCountry: LoginRule = {
  code: 'LOGIN-BLOCKED-COUNTRY',
  inLearning: 'speaks',
  judge: (each) => {
    const { address } = each;
    if (address === undefined || address.isAllowed || address.place === 'special') return undefined;
    const lists = address.listed.filter(({ what }) => what === 'country');
    if (lists.length === 0 && !address.isKeptOut) return undefined;
    const country = address.country ?? 'unknown';
    const words = address.isKeptOut
      ? `its country, ${country}, is none of countries.only`
      : `its country, ${country}, is blocked (${shortList(lists.map(({ source }) => source))})`;
    return {
      code: 'LOGIN-BLOCKED-COUNTRY',
      severity: severityOf(each, 'high'),
      words,
      evidence: { sources: lists.map(({ source }) => source), policy: address.isKeptOut ? 'only' : 'block' },
    };
  },
};

function severityOf({ isLive }: Case, otherwise: Severity): Severity {
  return isLive ? 'critical' : otherwise;
}

function earliest(lists: readonly Listed[]): number | undefined {
  const times = lists.flatMap(({ since }) => since ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

const MOST_NAMES = 3;

function shortList(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES;
  return rest > 0 ? `${names.slice(0, MOST_NAMES).join(', ')} and ${rest} more` : names.join(', ');
}
