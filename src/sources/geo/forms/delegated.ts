import { IPV4 } from '../../../ip/index.js';
import { delegatedRow, v4Range } from '../../feeds/formats/delegated-line.js';
import type { DatabaseContent, DatabaseForm } from '../contract.js';
import { badDatabase } from '../damaged.js';
import { labelOfCountry } from '../table.js';
import { AddressReader } from './addresses.js';
import { CellReader } from './cells.js';
import { RowTaker } from './rows.js';

const LF = 0x0a;
/** A line begins with the version of the format, or with the name of a registry (RIR statistics exchange format, sections 2 and 3). */
const BEGIN = /^(\d(\.\d+)?\|[a-z]+\||(afrinic|apnic|arin|lacnic|ripencc|iana)\|)/;

/** The statistics of the regional registries: to which country a network was given, not where it is used. */
export const delegated: DatabaseForm = {
  name: 'delegated',
  fits: (bytes) => {
    const cells = new CellReader(bytes.subarray(0, 1 << 16), LF);
    return cells.advance() && BEGIN.test(cells.text(0));
  },
  read: async (bytes, kinds, where) => {
    if (kinds.includes('asn'))
      throw badDatabase('statistics of registries do not say which network announces an address', where);
    return read(bytes);
  },
};

function read(bytes: Buffer): DatabaseContent {
  // Lines without cells: their separator is none of this reader.
  const lines = new CellReader(bytes, LF);
  const rows = new RowTaker(['country'], lines);
  const lo = new Uint32Array(1);
  const hi = new Uint32Array(1);
  while (lines.advance()) {
    const row = delegatedRow(lines.text(0));
    if (row === undefined) continue;
    if (typeof row === 'string') rows.reject(row);
    else if (row.type === 'ipv4') {
      const range = v4Range(row);
      if (typeof range === 'string') {
        rows.reject(range);
        continue;
      }
      [lo[0], hi[0]] = range;
      if (rows.range(IPV4, lo, IPV4, hi)) take(row.country);
    } else {
      const text = Buffer.from(`${row.start}/${row.value}`);
      const block = new AddressReader(text);
      if (!row.start.includes(':') || !block.read(0, text.length)) rows.reject('not an address');
      else if (rows.range(block.family, block.lo, block.family, block.hi)) take(row.country);
    }
  }
  return rows.content();

  function take(country: string): void {
    const label = labelOfCountry(country);
    if (label !== undefined) rows.add('country', label, () => '');
    else if (!/^(zz)?$/i.test(country)) return rows.reject('not a code');
    rows.taken();
  }
}
