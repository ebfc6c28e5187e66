import { countriesOf } from '../../config/continents.js';
import type { Config } from '../../config/load.js';
import { labelOfCountry } from './table.js';

/** A country or network that a configuration names, and where it stands in the tables of its kind. */
export interface NamedPlace {
  /** `country-cn`, `asn-4134` */
  readonly id: string;
  readonly kind: 'country' | 'asn';
  readonly label: number;
  /** itself, or as part of its continent: then nobody says that a database must know it */
  readonly named: 'itself' | 'continent';
}

/** The countries that codes and continents stand for. */
export function namedCountries(words: readonly string[]): NamedPlace[] {
  return countriesOf(words).map(({ code, named }) => ({
    id: `country-${code}`,
    kind: 'country',
    // ZZ has no label, and no table knows 0.
    label: labelOfCountry(code) ?? 0,
    named,
  }));
}

export function namedNetworks(asns: readonly number[]): NamedPlace[] {
  return asns.map((label) => ({ id: `asn-${label}`, kind: 'asn', label, named: 'itself' }));
}

/** All that a configuration names, to be blocked or to be let in alone. */
export function namedPlaces({ sources: { countries, asns } }: Config): NamedPlace[] {
  return [...namedCountries([...countries.block, ...(countries.only ?? [])]), ...namedNetworks(asns)];
}
