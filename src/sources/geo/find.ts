import { decompose, FAMILIES, type IpSet } from '../../ip/index.js';
import { countryOfLabel, type GeoTable, labelOfAsn } from './table.js';

/** One network with what it announces. */
export interface FoundNetwork {
  readonly asn: number;
  /** of the organisation, as the database writes it: escape it before it is shown */
  readonly name: string;
  /** where most of its addresses are, those of IPv4 where it has any; undefined when the country database knows none */
  readonly country?: string;
  /** the fewest CIDRs for its addresses */
  readonly prefixes: { readonly v4: number; readonly v6: number };
  readonly addresses: { readonly v4: number; readonly v6: bigint };
}

/** Networks in whose name all words occur, or whose number is one of them; the one with the most IPv4 addresses first. */
export function findNetworks(
  networks: GeoTable,
  countries: GeoTable | undefined,
  words: readonly string[],
): FoundNetwork[] {
  const lower = words.map((word) => word.toLowerCase());
  const numbers = new Set(words.map(labelOfAsn));
  const labels = Array.from(networks.columns.labels).filter((label) => {
    if (numbers.has(label)) return true;
    const name = networks.nameOf(label).toLowerCase();
    return lower.every((word) => name.includes(word));
  });
  const found = [...networks.setsOf(labels)].map(([asn, set]): FoundNetwork => {
    const country = countries && homeOf(set, countries);
    return {
      asn,
      name: networks.nameOf(asn),
      ...(country === undefined ? {} : { country }),
      prefixes: { v4: decompose(set.v4).size, v6: decompose(set.v6).size },
      addresses: set.count(),
    };
  });
  return found.sort(
    (a, b) => b.addresses.v4 - a.addresses.v4 || Number(b.addresses.v6 - a.addresses.v6) || a.asn - b.asn,
  );
}

function homeOf(set: IpSet, countries: GeoTable): string | undefined {
  for (const family of FAMILIES) {
    const counts = [...countries.of(family).countsIn(set.of(family))].sort(([, a], [, b]) => b - a);
    const [most] = counts;
    if (most !== undefined) return countryOfLabel(most[0]);
  }
  return undefined;
}
