import { describe, expect, test } from 'vitest';
import type { FormatOptions } from '../../src/config/formats.js';
import { readAs, refusalOf } from './reading.js';

/** Formats whose unit is a column or a key; the ones whose unit is a line of its own kind are in formats-lines.test.ts. */

describe('csv', () => {
  test.each<[what: string, options: FormatOptions, text: string, prefixes: string[], rejected: number]>([
    ['CRLF', { column: 2 }, 'id,ip\r\n1,192.0.2.1\r\n2,192.0.2.4\r\n', ['192.0.2.1', '192.0.2.4'], 0],
    ['CR alone', { column: 2 }, 'id,ip\r1,192.0.2.1\r2,192.0.2.4', ['192.0.2.1', '192.0.2.4'], 0],
    ['no line end behind the last row', { column: 'ip' }, 'ip\n192.0.2.1', ['192.0.2.1'], 0],
    ['a byte order mark before a header', { column: 'ip' }, '\ufeffip,n\n192.0.2.1,4\n', ['192.0.2.1'], 0],
    [
      'a byte order mark before the first row',
      { column: 1 },
      '\ufeff192.0.2.1,4\n192.0.2.4,4\n',
      ['192.0.2.1', '192.0.2.4'],
      0,
    ],
    ['a byte order mark before a comment', { column: 'ip' }, '\ufeff# made by hand\nip\n192.0.2.1\n', ['192.0.2.1'], 0],
    ['a quoted header', { column: 'ip' }, '"n", "ip"\n"4", "192.0.2.1"\n', ['192.0.2.1'], 0],
    ['a quoted separator before the column', { column: 2 }, '"a, b",192.0.2.1\n', ['192.0.2.1'], 0],
    ['doubled quotes before the column', { column: 2 }, '"a ""b"", c",192.0.2.1\n', ['192.0.2.1'], 0],
    ['a value that is two quotes', { column: 2 }, '"""",192.0.2.1\n', ['192.0.2.1'], 0],
    ['an empty quoted value before the column', { column: 2 }, '"",192.0.2.1\n', ['192.0.2.1'], 0],
    ['blanks inside quotes', { column: 1 }, '" 192.0.2.1 ",x\n', ['192.0.2.1'], 0],
    ['blanks around quotes', { column: 2 }, '1 ,  "192.0.2.1"  , "x"\n', ['192.0.2.1'], 0],
    ['tabs around quotes', { column: 2 }, '1,\t"192.0.2.1"\t,"x"\n', ['192.0.2.1'], 0],
    ['a quote inside a bare value', { column: 2 }, 'say "hi",192.0.2.1\n', ['192.0.2.1'], 0],
    ['the quoted column is the last', { column: 2 }, '1,"192.0.2.1"\n', ['192.0.2.1'], 0],
    ['a row that ends with the separator', { column: 1 }, '"192.0.2.1",\n192.0.2.4,\n', ['192.0.2.1', '192.0.2.4'], 0],
    ['a row too short', { column: 3 }, '1,2,192.0.2.1\n1,2\n', ['192.0.2.1'], 1],
    ['an empty value', { column: 2 }, '1,192.0.2.1\n2,""\n3,   \n', ['192.0.2.1'], 2],
    ['a header row for a numbered column', { column: 2 }, 'id,ip\n1,192.0.2.1\n', ['192.0.2.1'], 0],
    ['no header row for a numbered column', { column: 2 }, '1,192.0.2.1\n2,192.0.2.4\n', ['192.0.2.1', '192.0.2.4'], 0],
    ['an IPv6 address in the first row is no header', { column: 1 }, 'fe80:0::7,x\n', ['fe80::7'], 0],
    ['::1 in the first row is no header', { column: 1 }, '::7,x\n', ['::7'], 0],
    ['[IPv6]:port in the first row is no header', { column: 1 }, '[2001:db8::7]:1,x\n', ['2001:db8::7'], 0],
    ['a header is only the first row', { column: 1 }, 'ip\n192.0.2.1\nip\n', ['192.0.2.1'], 1],
    ['; between', { column: 2, separator: ';' }, '# c\n1;192.0.2.1;a,b\n', ['192.0.2.1'], 0],
    ['; between, the first value empty', { column: 2, separator: ';' }, ';192.0.2.1\n', ['192.0.2.1'], 0],
    [
      '| between, padded',
      { column: 3, separator: '|' },
      '64496  |  AN "EX", US  |  192.0.2.1  |  x\n',
      ['192.0.2.1'],
      0,
    ],
    ['tabs between', { column: 2, separator: 'tab' }, 'a b\t192.0.2.1\tc\n', ['192.0.2.1'], 0],
    ['tabs between, quoted', { column: 2, separator: 'tab' }, '"a\tb"\t"192.0.2.1"\tc\n', ['192.0.2.1'], 0],
    ['tabs between, empty values', { column: 3, separator: 'tab' }, '\t\t192.0.2.1\n', ['192.0.2.1'], 0],
    ['a name that is a number of another column', { column: '2' }, '192.0.2.9,192.0.2.1\n', ['192.0.2.1'], 0],
    ['an odd quote in another column', { column: 2 }, '5" disk,192.0.2.1,"x"\n', ['192.0.2.1'], 0],
    ['a quote that is never closed', { column: 1 }, '192.0.2.1,x\n"192.0.2.4,x\n', ['192.0.2.1'], 1],
    ['text directly behind a closing quote', { column: 1 }, '192.0.2.1,x\n"192.0.2.1"5,x\n', ['192.0.2.1'], 1],
    ['a length behind a closing quote', { column: 1 }, '192.0.2.1,x\n"192.0.2.1"/8,x\n', ['192.0.2.1'], 1],
  ])('%s', async (_, options, text, prefixes, rejected) => {
    const got = await readAs('csv', options, text);
    expect([got.prefixes, got.rejected]).toEqual([prefixes, rejected]);
  });

  test.each<[what: string, options: FormatOptions, text: string, named: string]>([
    ['the column', { column: 'Address' }, '# a comment\nip,n\n192.0.2.1,4\n', 'Address'],
    ['in other letters', { column: 'address' }, 'Address,n\n192.0.2.1,4\n', 'address'],
    ['a column of where', { column: 'ip', where: { status: 'on' } }, 'ip,n\n192.0.2.1,4\n', 'status'],
    ['a column of where beside a number', { column: 1, where: { status: 'on' } }, '192.0.2.1,4\n', 'status'],
    ['everything: another separator', { column: 'ip' }, 'ip;n\n192.0.2.1;4\n', 'ip'],
    ['everything: a web page', { column: 'ip' }, 'You are 198.51.100.200,\nwelcome\n', 'ip'],
  ])('a header that lacks %s is refused', async (_, options, text, named) => {
    const { code, message } = await refusalOf('csv', options, text);
    expect([code, message.includes(`'${named}'`)]).toEqual(['source-format', true]);
  });

  test('the hint names the columns that there are', async () => {
    const { hint, message } = await refusalOf('csv', { column: 'Address' }, '# c\n\nip, n\n');
    expect(hint).toContain('ip, n');
    expect(message).toContain('line 3');
  });

  const rows = 'ip,kind,on\n192.0.2.1,ssh,1\n192.0.2.4,web,1\n192.0.2.8,ssh,0\n192.0.2.16,,1\n192.0.2.32\n';
  test.each<[what: string, where: FormatOptions['where'], prefixes: string[], leftOut: number]>([
    ['one value', { kind: 'ssh' }, ['192.0.2.1', '192.0.2.8'], 3],
    ['one of two', { kind: ['ssh', 'web'] }, ['192.0.2.1', '192.0.2.4', '192.0.2.8'], 2],
    ['two columns', { kind: 'ssh', on: '1' }, ['192.0.2.1'], 4],
    ['by number', { '2': 'ssh', '3': '0' }, ['192.0.2.8'], 4],
    ['other letters are another value', { kind: 'SSH' }, [], 5],
    ['a part of the value is another one', { kind: 's' }, [], 5],
    ['an empty value', { kind: '' }, ['192.0.2.16'], 4],
    ['a number beyond the row', { '9': 'ssh' }, [], 5],
  ])('where: %s', async (_, where, prefixes, leftOut) => {
    expect(await readAs('csv', { column: 'ip', ...(where && { where }) }, rows)).toMatchObject({
      prefixes,
      leftOut,
      rejected: 0,
    });
  });

  test.each(['Your address 198.51.100.200 is blocked', 'error,198.51.100.200', '"forbidden"', 'ip'])(
    'one line that could be a header and is all there is counts as rejected: %s',
    async (text) => {
      expect(await readAs('csv', { column: 1 }, `# c\n${text}\n`)).toMatchObject({
        prefixes: [],
        entries: 0,
        rejected: 1,
      });
    },
  );

  test('a header of named columns without rows is an empty list', async () => {
    expect(await readAs('csv', { column: 'ip' }, '# c\nip,n\n')).toMatchObject({
      prefixes: [],
      entries: 0,
      rejected: 0,
    });
  });

  test('nodes are the addresses that stand alone', async () => {
    const text = 'ip\n192.0.2.1\n192.0.2.8/30\n192.0.2.16/32\n192.0.2.32-192.0.2.33\n2001:db8::1\n2001:db8:1::/64\n';
    expect((await readAs('csv', { column: 'ip' }, text)).nodes).toEqual(['192.0.2.1', '192.0.2.16', '2001:db8::1']);
  });
});

describe('json', () => {
  test.each<[what: string, paths: string[], document: unknown, prefixes: string[], rejected: number]>([
    ['a list at the top', ['[]'], ['192.0.2.1', '2001:db8::1'], ['192.0.2.1', '2001:db8::1'], 0],
    [
      'a key of a list at the top',
      ['[].ip'],
      [{ ip: '192.0.2.1' }, { ip: '192.0.2.4' }],
      ['192.0.2.1', '192.0.2.4'],
      0,
    ],
    ['a list of lists', ['a[][]'], { a: [['192.0.2.1'], [], ['192.0.2.4']] }, ['192.0.2.1', '192.0.2.4'], 0],
    ['a single value', ['a.b'], { a: { b: '192.0.2.1' } }, ['192.0.2.1'], 0],
    ['empty lists', ['a[].ip', 'b[]'], { a: [], b: [] }, [], 0],
    ['an empty list at the top', ['[].ip'], [], [], 0],
    ['elements that lack the key', ['a[].ip'], { a: [{}, { ip: '192.0.2.1' }, null, 7, 'x', []] }, ['192.0.2.1'], 0],
    ['one of two lists lacks', ['a[].b[]'], { a: [{ b: ['192.0.2.1'] }, {}] }, ['192.0.2.1'], 0],
    [
      'ports',
      ['[]'],
      ['192.0.2.1:9001', '[2001:db8::1]:9001', '[2001:db8::2]'],
      ['192.0.2.1', '2001:db8::1', '2001:db8::2'],
      0,
    ],
    ['values that are no text', ['[]'], [1, true, {}, [], '192.0.2.1'], ['192.0.2.1'], 4],
    ['addresses inside of text', ['[]'], ['at 192.0.2.1', '192.0.2.1 and more', '192.0.2.1,192.0.2.2', ''], [], 4],
    ['keys with blanks and dashes', ['my list[].the-ip'], { 'my list': [{ 'the-ip': '192.0.2.1' }] }, ['192.0.2.1'], 0],
    [
      'other keys are not looked at',
      ['a[]'],
      { a: ['192.0.2.1'], b: ['192.0.2.4'], ip: '192.0.2.8' },
      ['192.0.2.1'],
      0,
    ],
    ['the same path twice', ['[]', '[]'], ['192.0.2.1'], ['192.0.2.1'], 0],
  ])('%s', async (_, paths, document, prefixes, rejected) => {
    const got = await readAs('json', { paths }, JSON.stringify(document));
    expect([got.prefixes, got.rejected]).toEqual([prefixes, rejected]);
  });

  test.each<[what: string, paths: string[], text: string]>([
    ['a renamed list', ['prefixes[].ip'], '{"blocks":[{"ip":"192.0.2.1"}]}'],
    ['a renamed key in all elements', ['prefixes[].ip'], '{"prefixes":[{"cidr":"192.0.2.1"},{"cidr":"192.0.2.4"}]}'],
    ['one of two families', ['a[].v4', 'b[].v6'], '{"a":[{"v4":"192.0.2.1"}],"b":[{"ipv6":"2001:db8::1"}]}'],
    ['null in all elements', ['a[].ip'], '{"a":[{"ip":null}]}'],
    ['an object where a list was', ['a[]'], '{"a":{"0":"192.0.2.1"}}'],
    ['a list where an object was', ['a.b[]'], '[{"a":{"b":["192.0.2.1"]}}]'],
    ['text where a list was', ['a[]'], '{"a":"192.0.2.1"}'],
    ['null at the top', ['[]'], 'null'],
    ['a key that every object inherits', ['constructor'], '{}'],
    ['a key that every object inherits, of elements', ['[].toString'], '[{"ip":"192.0.2.1"}]'],
    ['__proto__', ['__proto__'], '{}'],
    ['an answer that is an error', ['data[].ip'], '{"errors":[{"detail":"you are 198.51.100.200"}]}'],
    ['JSON that is cut off', ['a[]'], '{"a":["192.0.2.1","192.0.2.4"'],
    ['a line behind JSON', ['a[]'], '{"a":["192.0.2.1"]}\nerror'],
    ['text', ['a[]'], '192.0.2.1'],
    ['two documents', ['ip'], '{"ip":"192.0.2.1"}\n{"ip":"192.0.2.4"}'],
  ])('refused: %s', async (_, paths, text) => {
    expect(await refusalOf('json', { paths }, text)).toMatchObject({ code: 'source-format', exitStatus: 5 });
  });

  test('where looks at the fields beside the value, by their text', async () => {
    const document = {
      a: [{ ip: '192.0.2.1', n: 5 }, { ip: '192.0.2.4', n: '5' }, { ip: '192.0.2.8', n: 6 }, { ip: '192.0.2.16' }],
    };
    const got = await readAs('json', { paths: ['a[].ip'], where: { n: '5' } }, JSON.stringify(document));
    expect(got).toMatchObject({ prefixes: ['192.0.2.1', '192.0.2.4'], leftOut: 2 });
    const flags = {
      a: [
        { ip: '192.0.2.1', on: true },
        { ip: '192.0.2.4', on: false },
        { ip: '192.0.2.8', on: { x: 1 } },
      ],
    };
    const on = await readAs(
      'json',
      { paths: ['a[].ip'], where: { on: ['true', '[object Object]'] } },
      JSON.stringify(flags),
    );
    expect(on).toMatchObject({ prefixes: ['192.0.2.1'], leftOut: 2 });
  });

  test.each<[what: string, where: FormatOptions['where'], prefixes: string[]]>([
    ['in the object of the address', { region: 'west' }, ['192.0.2.1']],
    ['in an object around it', { name: 'A' }, ['192.0.2.1', '192.0.2.4']],
    ['at the top', { cloud: 'Public' }, ['192.0.2.1', '192.0.2.4', '192.0.2.8']],
    ['the nearest one counts', { id: 'inner' }, ['192.0.2.4']],
    ['all of them together', { cloud: 'Public', name: 'B', region: 'east' }, ['192.0.2.8']],
    ['beside the objects around', { sibling: 'x' }, []],
  ])('where: %s', async (_, where, prefixes) => {
    const document = {
      cloud: 'Public',
      other: { sibling: 'x' },
      values: [
        { name: 'A', id: 'outer', properties: { region: 'west', addressPrefixes: ['192.0.2.1'] } },
        { name: 'A', id: 'outer', properties: { region: 'east', id: 'inner', addressPrefixes: ['192.0.2.4'] } },
        { name: 'B', id: 'inner', properties: { region: 'east', id: 'none', addressPrefixes: ['192.0.2.8'] } },
      ],
    };
    const options = { paths: ['values[].properties.addressPrefixes[]'], ...(where && { where }) };
    const got = await readAs('json', options, JSON.stringify(document));
    expect(got).toMatchObject({ prefixes, leftOut: 3 - prefixes.length, rejected: 0 });
  });

  test('brackets without end are refused, not followed', async () => {
    const { code } = await refusalOf('json', { paths: ['[]'] }, '['.repeat(200_000));
    expect(code).toBe('source-format');
  });
});

describe('ndjson', () => {
  const line = (cidr: string) => `{"cidr":"${cidr}"}\n`;
  test.each<[what: string, text: string, records: number | undefined]>([
    ['none', line('192.0.2.1'), undefined],
    ['at the end', `${line('192.0.2.1')}{"type":"metadata","records":1}\n`, 1],
    ['at the begin', `{"type":"metadata","records":7}\n${line('192.0.2.1')}`, 7],
    ['without a number', `${line('192.0.2.1')}{"type":"metadata","records":"1"}\n`, undefined],
    ['of another type', `${line('192.0.2.1')}{"type":"summary","records":1,"cidr":"192.0.2.1"}\n`, undefined],
  ])('metadata %s', async (_, text, records) => {
    const got = await readAs('ndjson', { field: 'cidr' }, text);
    expect([got.prefixes, got.rejected, got.records]).toEqual([['192.0.2.1'], 0, records]);
  });

  test.each<[what: string, field: string, text: string, reason: string]>([
    ['a list', 'ip', '["192.0.2.1"]', 'not JSON'],
    ['null', 'ip', 'null', 'not JSON'],
    ['a document over lines', 'ip', '{', 'not JSON'],
    ['a comma behind the object', 'ip', '{"ip":"192.0.2.1"},', 'not JSON'],
    ['the field is a list', 'ip', '{"ip":["192.0.2.1"]}', 'missing field'],
    ['the field is inside another', 'ip', '{"a":{"ip":"192.0.2.1"}}', 'missing field'],
    ['a field that every object inherits', 'toString', '{}', 'missing field'],
    ['text around the address', 'ip', '{"ip":"at 192.0.2.1"}', 'not an address'],
  ])('rejected: %s', async (_, field, text, reason) => {
    expect(await readAs('ndjson', { field }, text)).toMatchObject({
      prefixes: [],
      rejected: 1,
      reasons: { [reason]: 1 },
    });
  });
});

describe('ripestat', () => {
  const answer = (data: unknown, status: unknown = 'ok') => JSON.stringify({ messages: [], data, status });

  test('announced prefixes of a network', async () => {
    const data = {
      resource: '64496',
      prefixes: [{ prefix: '192.0.2.0/24', timelines: [] }, { prefix: '2001:db8::/32' }],
    };
    expect((await readAs('ripestat', {}, answer(data))).prefixes).toEqual(['192.0.2.0/24', '2001:db8::/32']);
  });

  test.each<[what: string, data: unknown, prefixes: string[]]>([
    ['a country without IPv6', { resources: { asn: [], ipv4: ['192.0.2.0/24'], ipv6: [] } }, ['192.0.2.0/24']],
    ['a country with nothing', { resources: { asn: [], ipv4: [], ipv6: [] } }, []],
    ['a network that announces nothing', { prefixes: [] }, []],
    ['a range', { resources: { ipv4: ['192.0.2.0-192.0.4.255'], ipv6: [] } }, ['192.0.2.0/23', '192.0.4.0/24']],
  ])('%s', async (_, data, prefixes) => {
    expect(await readAs('ripestat', {}, answer(data))).toMatchObject({ prefixes, rejected: 0 });
  });

  const good = { resources: { ipv4: ['192.0.2.0/24'], ipv6: [] } };
  test.each<[what: string, text: string]>([
    ['status error', answer(good, 'error')],
    ['status maintenance', answer(good, 'maintenance')],
    ['status is a number', answer(good, 200)],
    ['no status', JSON.stringify({ data: good })],
    ['no data', answer(undefined)],
    ['data is null', answer(null)],
    ['data of another call', answer({ ip: '192.0.2.1' })],
    ['resources without IPv6', answer({ resources: { ipv4: ['192.0.2.0/24'] } })],
    ['resources is null', answer({ resources: null })],
    ['a list', '["ok"]'],
    ['null', 'null'],
    ['text', 'error'],
  ])('refused: %s', async (_, text) => {
    expect(await refusalOf('ripestat', {}, text)).toMatchObject({ code: 'source-format' });
  });
});
