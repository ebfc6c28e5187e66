import { AddressReader } from './addresses.js';
import type { CellReader } from './cells.js';

/** Places of the columns that are wanted, from 0; −1 for one that is not there. */
export interface Columns {
  /** a block, or the first address of a range */
  readonly start: number;
  /** −1 where `start` is a block */
  readonly end: number;
  readonly asn: number;
  readonly name: number;
  readonly country: number;
}

/** Names of columns as publishers write them: MaxMind, DB-IP, IPinfo, ip-location-db, IP2Location. */
const NAMES = {
  network: ['network', 'cidr', 'prefix', 'ip_range', 'range'],
  start: ['start', 'start_ip', 'ip_range_start', 'range_start', 'first_ip', 'ip_from', 'network_start_ip'],
  end: ['end', 'end_ip', 'ip_range_end', 'range_end', 'last_ip', 'ip_to', 'network_last_ip'],
  asn: ['asn', 'as_number', 'autonomous_system_number'],
  name: ['as_name', 'as_organization', 'autonomous_system_organization', 'organization', 'organisation', 'org', 'name'],
  country: ['country_code', 'country_iso_code', 'country'],
} as const;

/** The columns by the names of a header line; undefined when it names no network. */
export function namedColumns(cells: CellReader): Columns | undefined {
  const titles = Array.from({ length: cells.count }, (_, i) => cells.text(i).toLowerCase().replaceAll(' ', '_'));
  const place = (key: keyof typeof NAMES) => {
    const name = NAMES[key].find((each) => titles.includes(each));
    return name === undefined ? -1 : titles.indexOf(name);
  };
  const [network, start, end] = [place('network'), place('start'), place('end')];
  if (network < 0 && (start < 0 || end < 0)) return undefined;
  const others = { asn: place('asn'), name: place('name'), country: place('country') };
  return network >= 0 ? { start: network, end: -1, ...others } : { start, end, ...others };
}

/** A number of a network, also 0 for none. */
const ASN = /^(AS)?\d{1,10}$/i;
/** A code, or what stands where there is none. */
const COUNTRY = /^([a-z]{2}|none|-)?$/i;

/** Two letters. */
const CODE = /^[a-z]{2}$/i;
/** `continent,CC,region,city,latitude,longitude`: the cells behind the addresses of DB-IP's cities. */
const CITY_CELLS = 6;

/**
 * The columns of a file without header by its first line: `first,last,CC` and `first,last,asn,name` (ip-location-db), `first last asn CC name` (iptoasn),
 * `first,last,continent,CC,…` (cities of DB-IP), each also with a block in place of two addresses. Undefined when it is none of these.
 */
export function guessedColumns(cells: CellReader): Columns | undefined {
  const addresses = new AddressReader(cells.bytes);
  if (!addresses.read(cells.starts[0]!, cells.ends[0]!)) return undefined;
  const isBlock = addresses.isBlock || !addresses.read(cells.starts[1] ?? 0, cells.count > 1 ? cells.ends[1]! : 0);
  const at = isBlock ? 1 : 2;
  const place = { start: 0, end: isBlock ? -1 : 1 };
  const [first, second] = [cells.text(at), cells.text(at + 1)];
  if (cells.count <= at) return undefined;
  if (ASN.test(first)) {
    const hasCountry = cells.count > at + 2 && COUNTRY.test(second);
    return { ...place, asn: at, name: hasCountry ? at + 2 : at + 1, country: hasCountry ? at + 1 : -1 };
  }
  // AS, NA and SA are continents there, and countries elsewhere.
  const isCity = cells.count === at + CITY_CELLS && CODE.test(first) && CODE.test(second);
  return COUNTRY.test(first) ? { ...place, asn: -1, name: -1, country: isCity ? at + 1 : at } : undefined;
}
