import type { DatabaseContent, DatabaseForm, GeoKind } from '../contract.js';
import { badDatabase } from '../damaged.js';
import { labelOfAsn, labelOfCountry } from '../table.js';
import { AddressReader } from './addresses.js';
import { CellReader } from './cells.js';
import { type Columns, guessedColumns, namedColumns } from './columns.js';
import { RowTaker } from './rows.js';

const TAB = 0x09;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
/** What stands where a database knows no country or network. */
const NONE = /^(|-|0|as0|none|zz)$/i;

/**
 * Lines of ranges: `first,last,…` or `network,…` between commas, semicolons or tabs, addresses as text or as decimal numbers, with a header
 * line or one of the known orders (ip-location-db, iptoasn, MaxMind ASN, IPinfo).
 */
export const csv: DatabaseForm = {
  name: 'csv',
  fits: (bytes) => begun(bytes) !== undefined,
  read: async (bytes, kinds, where) => {
    const found = begun(bytes);
    if (found === undefined) throw badDatabase('its first line names no ranges of addresses', where);
    for (const kind of kinds) {
      if (found.columns[kind] < 0)
        throw badDatabase(`it has no column of ${kind === 'asn' ? 'AS numbers' : 'country codes'}`, where);
    }
    return read(found, kinds);
  },
};

interface Begun {
  readonly cells: CellReader;
  readonly columns: Columns;
  /** whether the line that the reader is at holds titles and no network */
  readonly hasHeader: boolean;
}

/** Reads the first line, with each separator in turn; undefined when these are no ranges. */
function begun(bytes: Buffer): Begun | undefined {
  if (bytes.subarray(0, 4096).includes(0)) return undefined;
  for (const separator of [TAB, COMMA, SEMICOLON]) {
    const cells = new CellReader(bytes, separator);
    if (!cells.advance() || cells.isBroken) continue;
    const guessed = guessedColumns(cells);
    const columns = guessed ?? namedColumns(cells);
    if (columns !== undefined) return { cells, columns, hasHeader: guessed === undefined };
  }
  return undefined;
}

function read({ cells, columns, hasHeader }: Begun, kinds: readonly GeoKind[]): DatabaseContent {
  const rows = new RowTaker(kinds, cells);
  const [first, last] = [new AddressReader(cells.bytes), new AddressReader(cells.bytes)];
  const isThere = hasHeader ? cells.advance() : true;
  for (let isOpen = isThere; isOpen; isOpen = cells.advance()) {
    if (cells.isBroken) rows.reject('columns disagree');
    else if (Math.max(columns.start, columns.end) >= cells.count) rows.reject('missing field');
    else if (!first.read(cells.starts[columns.start]!, cells.ends[columns.start]!)) rows.reject('not an address');
    else if (columns.end < 0) take(first, first);
    else if (!last.read(cells.starts[columns.end]!, cells.ends[columns.end]!)) rows.reject('not an address');
    else take(first, last);
  }
  return rows.content();

  function take(from: AddressReader, to: AddressReader): void {
    if (!rows.range(from.family, from.lo, to.family, to.hi)) return;
    for (const kind of kinds) {
      const text = cells.text(columns[kind]);
      const label = kind === 'asn' ? labelOfAsn(text) : labelOfCountry(text);
      if (label === undefined && NONE.test(text)) continue;
      if (label === undefined) return rows.reject('not a code');
      rows.add(kind, label, () => (kind === 'asn' ? cells.text(columns.name) : ''));
    }
    rows.taken();
  }
}
