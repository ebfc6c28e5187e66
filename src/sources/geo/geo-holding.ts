import { BlocklistError } from '../../errors.js';
import { type Address, IpSet } from '../../ip/index.js';
import type { Holding, NamedSource } from '../holding.js';
import type { GeoKind } from './contract.js';
import type { GeoLookup } from './lookup.js';
import { ordinaryAddresses, UNKNOWN_COUNTRY } from './unknown.js';

/**
 * A country or a network as a source, for single addresses: the databases are asked for the address, and nothing of them is made a set. To a wider block
 * the answer is nothing: placesOf has one.
 * @throws BlocklistError `source-never-fetched`: of databases that are not there, every address would be in no country
 */
export function geoHolding({ id, kind, direction }: NamedSource, geo: GeoLookup): Holding {
  const isCountry = kind === 'country';
  if (!geo.has(isCountry ? 'country' : 'asn')) throw noDatabase(isCountry ? 'country' : 'asn', id);
  let ordinary: IpSet | undefined;
  const isInside = (address: Address) => {
    if (id === UNKNOWN_COUNTRY) {
      ordinary ??= ordinaryAddresses();
      return ordinary.has(address) && geo.countryOf(address) === undefined;
    }
    if (isCountry) return id === `country-${geo.countryOf(address)}`;
    const network = geo.networkOf(address);
    return network !== undefined && id === `asn-${network.asn}`;
  };
  return {
    id,
    kind,
    direction,
    partOf: (block) => {
      const isOne = block.length === block.family.bits;
      return isOne && isInside(block) ? { set: IpSet.from([block]), nodes: IpSet.empty } : undefined;
    },
    entryOf: () => undefined,
    daysOf: () => undefined,
    detailsOf: () => [],
  };
}

/** A source of this kind cannot be looked into. */
export function noDatabase(kind: GeoKind, id: string): BlocklistError {
  const of = kind === 'country' ? 'countries' : 'networks';
  return new BlocklistError('source-never-fetched', `there is no database of ${of} on this host, or not all of them`, {
    where: id,
    hint: 'run: blocklist update',
  });
}
