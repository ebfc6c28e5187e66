import { type Address, IpSet } from '../../ip/index.js';
import type { Holding, NamedSource } from '../holding.js';
import type { GeoLookup } from './lookup.js';
import { ordinaryAddresses, UNKNOWN_COUNTRY } from './unknown.js';

/**
 * A country or a network as a source, for single addresses: the databases are asked for the address, and nothing of them is made a set. To a wider block
 * the answer is nothing: loadedHolding has one.
 */
export function geoHolding({ id, kind, direction }: NamedSource, geo: GeoLookup): Holding {
  let ordinary: IpSet | undefined;
  const isInside = (address: Address) => {
    if (id === UNKNOWN_COUNTRY) {
      ordinary ??= ordinaryAddresses();
      return ordinary.has(address) && geo.countryOf(address) === undefined;
    }
    if (kind === 'country') return id === `country-${geo.countryOf(address)}`;
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
