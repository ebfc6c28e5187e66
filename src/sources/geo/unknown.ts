import { BlocklistError } from '../../errors.js';
import { FAMILIES, IpSet, specialPurpose } from '../../ip/index.js';
import type { GeoTable } from './table.js';

/** Name of what no country has, as a source. */
export const UNKNOWN_COUNTRY = 'country-unknown';

/** Unicast IPv6 is given out of 2000::/3 alone (RFC 4291 section 2.4, IANA): beyond it there is no country to be known. */
const IN_USE = ['0.0.0.0/0', '2000::/3'];

/** Addresses that ordinary hosts may have: of these alone a country can be unknown. */
export function ordinaryAddresses(): IpSet {
  return IpSet.from(IN_USE).subtract(specialPurpose());
}

/** Addresses that ordinary hosts may have and that no country does; of a family that the table says nothing of, none. */
export function unknownTo(table: GeoTable): IpSet {
  const unknown = ordinaryAddresses().subtract(table.all());
  const [v4, v6] = FAMILIES.map((family) => (table.of(family).size === 0 ? IpSet.empty : unknown).of(family));
  return IpSet.of(v4!, v6!);
}

/** To a database of IPv4 alone all of IPv6 would be unknown. @throws BlocklistError `source-empty` */
export function requireBothFamilies(table: GeoTable, where: string): void {
  const { version } = FAMILIES.find((family) => table.of(family).size === 0) ?? {};
  if (version === undefined) return;
  throw new BlocklistError('source-empty', `the country database knows no IPv${version}: all of it would be unknown`, {
    where,
    hint: 'name one that knows both families, or one for each: geo: {country: [IPV4.csv, IPV6.csv]}; or leave unknown out',
  });
}
