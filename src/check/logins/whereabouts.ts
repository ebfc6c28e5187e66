import { shifted } from '../finding.js';
import { areNeighbours } from './borders.js';
import type { Case, LoginRule } from './rule.js';

const HOUR_MS = 3_600_000;
/** OSSEC, rule 5749 */
const TRAVEL_MS = 8 * HOUR_MS;

/**
 * A country where this user is not expected: by the configuration, or by what was learned of him. The country of an address is where its block was
 * registered; who is in none, or in the unknown, is never unexpected.
 */
export const unexpectedCountry: LoginRule = {
  code: 'LOGIN-UNEXPECTED-COUNTRY',
  inLearning: 'speaks',
  judge: (each) => {
    const { visit, address, knowledge } = each;
    const country = address?.country;
    if (address === undefined || country === undefined || address.place === 'special' || each.isExpectedNet)
      return undefined;
    const said = each.expected.users.get(visit.user) ?? each.expected.countries;
    const learned = knowledge.countriesOf(visit.user, visit.time);
    if (said.has(country)) return undefined;
    if (said.size === 0) {
      // Without a known country nobody can say what is unusual.
      if (knowledge.isLearning(visit) || learned.length === 0 || learned.includes(country)) return undefined;
    }
    const usual = said.size > 0 ? [...said] : learned;
    const severity = each.admins.has(visit.user) ? 'high' : 'medium';
    const isLower = said.size === 0 && isNearHabits(each, country);
    const basis = said.size > 0 ? 'expected from' : 'known from';
    return {
      code: 'LOGIN-UNEXPECTED-COUNTRY',
      severity: isLower ? shifted(severity, -1) : severity,
      words: `never seen there: ${visit.user} is ${basis} ${usual.join(', ')}`,
      evidence: { basis: said.size > 0 ? 'configuration' : 'learned', usual },
    };
  },
};

/** His network was seen with an earlier login of his, as those of mobile carriers are; or others of this host come from there. */
function isNearHabits({ visit, address, knowledge }: Case, country: string): boolean {
  const network = address === undefined ? undefined : networkName(visit.address, address.network?.asn);
  const known = network !== undefined && knowledge.of(visit.user)?.networks[network] !== undefined;
  return known || knowledge.isKnownOfOthers(visit.user, country, visit.time);
}

/** By its number where that is known, by the /24 or /48 around the address otherwise. */
export function networkName(address: string | undefined, asn: number | undefined): string | undefined {
  if (asn !== undefined) return `AS${asn}`;
  if (address === undefined) return undefined;
  if (!address.includes(':')) return `${address.split('.').slice(0, 3).join('.')}.0/24`;
  // A text that is cut is enough to know it again.
  return `${address.split(':').slice(0, 3).join(':')}::/48`;
}

/** Two countries within eight hours that do not touch. */
export const fastTravel: LoginRule = {
  code: 'LOGIN-FAST-TRAVEL',
  inLearning: 'silent',
  judge: ({ visit, address, before, isExpectedNet }) => {
    const [country, earlier] = [address?.country, before?.country];
    if (country === undefined || earlier === undefined || before === undefined || isExpectedNet) return undefined;
    const gap = visit.time - before.visit.last;
    if (country === earlier || gap > TRAVEL_MS || areNeighbours(country, earlier)) return undefined;
    const hours = Math.max(0, gap) / HOUR_MS;
    const words = hours < 1 ? `${Math.round(hours * 60)} minutes` : `${hours.toFixed(1)} hours`;
    return {
      code: 'LOGIN-FAST-TRAVEL',
      severity: 'medium',
      words: `${words} after a login from ${before.visit.address ?? 'elsewhere'} (${earlier}), and the two countries do not touch`,
      evidence: {
        from: earlier,
        to: country,
        gapMs: gap,
        basis: 'land borders',
        earlier: before.visit.address ?? null,
      },
    };
  },
};
