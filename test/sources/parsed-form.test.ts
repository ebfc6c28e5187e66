import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeColumns, encodeColumns } from '../../src/io/columns-file.js';
import { IPV4, IPV6, IpSet, type ListReport } from '../../src/ip/index.js';
import { decodeBody, encodeBody, type ReadBody } from '../../src/sources/parsed-form.js';
import { anyRanges, runs } from '../ip/arbitraries.js';
import { textOf } from '../ip/lists.js';
import { normal, type Range, rangesIn, setOf } from '../ip/oracle.js';

const REPORT: ListReport = {
  entries: 5,
  rejected: 2,
  reasons: { 'not an address': 1, 'missing field': 1 },
  samples: [{ line: 3, text: 'tab\there, \u0000 and \u202e', reason: 'not an address' }],
  hostBits: 1,
  widest: { v4: 8, v6: -1 },
  leftOut: 4,
};

function bodyOf(entries: string[], nodes: string[], changes: Partial<ReadBody> = {}): ReadBody {
  return { set: IpSet.from(entries), nodes: IpSet.from(nodes), report: REPORT, trailing: 0, ...changes };
}

/** As decoded, with sets as text. */
function again(body: ReadBody, key = 'plain', asked = key) {
  const read = decodeBody(encodeBody(body, key), asked);
  return read && { ...read, set: textOf(read.set), nodes: textOf(read.nodes) };
}

/** What stands in the header of the file. */
function headerOf(bytes: Buffer): { key: string; nodes: string } & Record<string, unknown> {
  return decodeColumns(bytes)?.header as never;
}

describe('a body comes back', () => {
  test.each<[what: string, entries: string[], nodes: string[], kind: string]>([
    ['nothing', [], [], 'all'],
    ['addresses alone', ['192.0.2.1', '2001:db8::1'], ['192.0.2.1', '2001:db8::1'], 'all'],
    ['nets alone', ['192.0.2.0/24', '2001:db8::/32'], [], 'own'],
    ['nets, and addresses apart', ['192.0.2.0/24', '198.51.100.7'], ['198.51.100.7'], 'own'],
    ['addresses inside of nets', ['192.0.2.0/24', '2001:db8::/32'], ['192.0.2.9', '2001:db8::9'], 'own'],
    ['all of IPv4 and of IPv6', ['0.0.0.0/0', '::/0'], ['255.255.255.255'], 'own'],
    ['addresses in one family, nets in the other', ['192.0.2.1', '2001:db8::/32'], ['192.0.2.1'], 'own'],
  ])('%s', (_, entries, nodes, kind) => {
    const body = bodyOf(entries, nodes);
    expect(headerOf(encodeBody(body, 'k')).nodes).toBe(kind);
    expect(again(body)).toEqual({ set: entries, nodes, report: REPORT, trailing: 0 });
  });

  test('with the number that it promises, with trailing bytes', () => {
    const report = { ...REPORT, records: 7 };
    expect(again(bodyOf(['192.0.2.1'], [], { report, trailing: 22 }))).toEqual({
      set: ['192.0.2.1'],
      nodes: [],
      report,
      trailing: 22,
    });
  });

  test('for any ranges', () => {
    fc.assert(
      fc.property(anyRanges(IPV4), anyRanges(IPV6), anyRanges(IPV4, 4), fc.boolean(), (v4, v6, some, isAll) => {
        const set = IpSet.of(setOf(IPV4, v4), setOf(IPV6, v6));
        const nodes = isAll ? set : IpSet.of(setOf(IPV4, some), setOf(IPV6, []));
        const read = decodeBody(encodeBody({ set, nodes, report: REPORT, trailing: 0 }, 'k'), 'k');
        const expected: Range[][] = [normal(v4), normal(v6), normal(isAll ? v4 : some), isAll ? normal(v6) : []];
        const got = read && [read.set.v4, read.set.v6, read.nodes.v4, read.nodes.v6].map(rangesIn);
        expect(got).toEqual(expected);
      }),
      runs(150),
    );
  });
});

describe('nothing comes back', () => {
  const bytes = encodeBody(bodyOf(['192.0.2.0/24', '2001:db8::1'], ['2001:db8::1']), 'plain');

  test.each([
    ['another way of reading', 'csv'],
    ['none', ''],
    ['more of it', 'plain '],
    ['less of it', 'plai'],
  ])('for %s', (_, key) => {
    expect(decodeBody(bytes, key)).toBeUndefined();
  });

  test('for the same way of reading of a program that read otherwise', () => {
    const { header, columns } = decodeColumns(bytes)!;
    const { key } = header as { key: string };
    expect(key).toMatch(/^\d+ plain$/);
    const older = encodeColumns({ header: { ...(header as object), key: '0 plain' }, columns });
    expect(decodeBody(older, 'plain')).toBeUndefined();
    expect(decodeBody(older, '0 plain')).toBeUndefined();
  });

  test('of damaged bytes', () => {
    for (let at = 0; at < bytes.length; at++) {
      const other = Buffer.from(bytes);
      other[at] = other[at]! ^ 0x10;
      expect([at, decodeBody(other, 'plain')]).toEqual([at, undefined]);
    }
    expect(decodeBody(bytes.subarray(0, -1), 'plain')).toBeUndefined();
    expect(decodeBody(Buffer.alloc(0), 'plain')).toBeUndefined();
  });

  const { header, columns } = decodeColumns(bytes)! as { header: Record<string, unknown>; columns: Uint32Array[] };
  const swapped = [columns[1]!, columns[0]!, ...columns.slice(2)];
  test.each<[what: string, file: Parameters<typeof encodeColumns>[0]]>([
    ['no columns', { header, columns: [] }],
    ['columns of one set, where there are two', { header, columns: columns.slice(0, 4) }],
    ['columns of one family', { header, columns: columns.slice(0, 2) }],
    ['a column too short', { header, columns: [columns[0]!.subarray(1), ...columns.slice(1)] }],
    ['ranges that run backwards', { header, columns: swapped }],
    [
      'nodes that run backwards',
      { header, columns: [...columns.slice(0, 4), Uint32Array.of(2), Uint32Array.of(1), ...columns.slice(6)] },
    ],
    ['no header', { header: undefined, columns }],
    ['a header of something else', { header: 'seen', columns }],
    ['a header without report', { header: { ...header, report: undefined }, columns }],
    ['a report without its counts', { header: { ...header, report: { ...REPORT, entries: undefined } }, columns }],
    ['a word in place of a count', { header: { ...header, trailing: '0' }, columns }],
    ['a kind of nodes that is unknown', { header: { ...header, nodes: 'some' }, columns }],
  ])('of %s', (_, file) => {
    expect(decodeBody(encodeColumns(file), 'plain')).toBeUndefined();
  });
});
