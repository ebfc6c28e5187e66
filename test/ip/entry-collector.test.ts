import { describe, expect, test } from 'vitest';
import { EntryCollector, IPV4, IPV6, IpSetBuilder } from '../../src/ip/index.js';
import { bytesOf, textOf } from './lists.js';

function collecting(work: (entries: EntryCollector) => void) {
  const builder = new IpSetBuilder();
  const entries = new EntryCollector(builder);
  work(entries);
  return { prefixes: textOf(builder.build()), nodes: textOf(builder.buildNodes()), report: entries.report() };
}

test('nothing', () => {
  expect(collecting(() => undefined)).toEqual({
    prefixes: [],
    nodes: [],
    report: {
      entries: 0,
      rejected: 0,
      reasons: {},
      samples: [],
      hostBits: 0,
      widest: { v4: -1, v6: -1 },
      leftOut: 0,
    },
  });
});

describe('takeText', () => {
  test.each<[text: string, prefixes: string[], nodes: string[], widest: { v4: number; v6: number }, hostBits: number]>([
    ['192.0.2.1', ['192.0.2.1'], ['192.0.2.1'], { v4: 0, v6: -1 }, 0],
    ['192.0.2.1/32', ['192.0.2.1'], ['192.0.2.1'], { v4: 0, v6: -1 }, 0],
    ['192.0.2.5/24', ['192.0.2.0/24'], [], { v4: 8, v6: -1 }, 1],
    ['192.0.2.0/255.255.255.0', ['192.0.2.0/24'], [], { v4: 8, v6: -1 }, 0],
    ['192.0.2.*', ['192.0.2.0/24'], [], { v4: 8, v6: -1 }, 0],
    ['192.0.2.0-192.0.2.2', ['192.0.2.0/31', '192.0.2.2'], [], { v4: 1, v6: -1 }, 0],
    ['192.0.2.7 - 192.0.2.7', ['192.0.2.7'], ['192.0.2.7'], { v4: 0, v6: -1 }, 0],
    ['0.0.0.0/0', ['0.0.0.0/0'], [], { v4: 32, v6: -1 }, 0],
    ['0.0.0.0-255.255.255.255', ['0.0.0.0/0'], [], { v4: 32, v6: -1 }, 0],
    ['2001:DB8::1', ['2001:db8::1'], ['2001:db8::1'], { v4: -1, v6: 0 }, 0],
    ['2001:db8::1/32', ['2001:db8::/32'], [], { v4: -1, v6: 96 }, 1],
    ['::/0', ['::/0'], [], { v4: -1, v6: 128 }, 0],
    ['::ffff:192.0.2.1', ['192.0.2.1'], ['192.0.2.1'], { v4: 0, v6: -1 }, 0],
    ['::ffff:192.0.2.0/120', ['192.0.2.0/24'], [], { v4: 8, v6: -1 }, 0],
  ])('%s', (text, prefixes, nodes, widest, hostBits) => {
    const got = collecting((entries) => entries.takeText(text));
    expect([got.prefixes, got.nodes]).toEqual([prefixes, nodes]);
    expect(got.report).toMatchObject({ entries: 1, rejected: 0, widest, hostBits });
  });

  test.each<[text: string, reason: string]>([
    ['', 'not an address'],
    [' 192.0.2.1', 'not an address'],
    ['192.0.2.1 ', 'text after the address'],
    ['192.0.2.1\n', 'text after the address'],
    ['192.0.2.1,', 'text after the address'],
    ['192.0.2.1\0', 'text after the address'],
    ['192.0.2.1é', 'text after the address'],
    ['192.0.2.1\u0130', 'text after the address'],
    ['192.0.2.\u0131', 'not an address'],
    ['\u0131\u0139\u0132.0.2.1', 'not an address'],
    ['\u{1f600}', 'not an address'],
    ['192.0.2', 'not an address'],
    ['192.0.2.1/33', 'bad prefix length'],
    ['192.0.2.1/', 'bad prefix length'],
    ['192.0.2.0/255.0.255.0', 'bad netmask'],
    ['192.0.2.9-192.0.2.1', 'range runs backwards'],
    ['192.0.2.9-2001:db8::1', 'range mixes families'],
    ['fe80::1%eth0', 'has a zone'],
    [`192.0.2.1${' '.repeat(120)}`, 'not an address'],
    ['1'.repeat(129), 'not an address'],
    ['192.0.2.1'.padStart(200_000, '0'), 'not an address'],
  ])('refuses %j', (text, reason) => {
    const { prefixes, report } = collecting((entries) => entries.takeText(text, 'the line'));
    expect(prefixes).toEqual([]);
    expect(report).toMatchObject({ entries: 0, rejected: 1, reasons: { [reason]: 1 } });
    expect(report.samples).toEqual([{ line: 0, text: 'the line', reason }]);
  });

  test('characters beyond ASCII are never cut down to ones of an address', () => {
    // 0x131 & 0xff is "1", 0x12e & 0xff is "."
    const { prefixes } = collecting((entries) => entries.takeText('192\u012e0\u012e2\u012e\u0131'));
    expect(prefixes).toEqual([]);
  });

  test('the longest entry of all is taken', () => {
    const address = '2001:0db8:0000:0000:0000:0000:192.0.2.1';
    const text = `${address} - 2001:0db8:0000:0000:0000:0000:255.255.255.255`;
    expect(collecting((entries) => entries.takeText(text)).report.entries).toBe(1);
  });

  test('nothing of one entry is left for the next', () => {
    const { prefixes, report } = collecting((entries) => {
      entries.takeText('2001:db8:1:2:3:4:5:6');
      entries.takeText('192.0.2.5/24');
      entries.takeText('2001:db8::');
      entries.takeText('192.0.2.1-192.0.2');
      entries.takeText('198.51.100.1');
      entries.takeText('1');
    });
    expect(prefixes).toEqual(['192.0.2.0/24', '198.51.100.1', '2001:db8::', '2001:db8:1:2:3:4:5:6']);
    expect(report).toMatchObject({ entries: 4, rejected: 2, hostBits: 1 });
  });
});

describe('takeRange', () => {
  test.each<[first: number, last: number, prefixes: string[], nodes: string[], widest: number]>([
    [0, 0, ['0.0.0.0'], ['0.0.0.0'], 0],
    [0, 0xffffffff, ['0.0.0.0/0'], [], 32],
    [0xffffffff, 0xffffffff, ['255.255.255.255'], ['255.255.255.255'], 0],
    [0x7fffffff, 0x80000000, ['127.255.255.255', '128.0.0.0'], [], 1],
    [0x0a000000, 0x0a0002ff, ['10.0.0.0/23', '10.0.2.0/24'], [], 9],
  ])('%i to %i', (first, last, prefixes, nodes, widest) => {
    const got = collecting((entries) => entries.takeRange(first, last, 'x'));
    expect([got.prefixes, got.nodes]).toEqual([prefixes, nodes]);
    expect(got.report).toMatchObject({ entries: 1, rejected: 0, hostBits: 0, widest: { v4: widest, v6: -1 } });
  });

  test('backwards is a reject', () => {
    const { prefixes, report } = collecting((entries) => entries.takeRange(5, 4, '5,4'));
    expect(prefixes).toEqual([]);
    expect(report).toMatchObject({ rejected: 1, samples: [{ text: '5,4', reason: 'range runs backwards' }] });
  });

  test('after an entry with host bits it has none', () => {
    const { report } = collecting((entries) => {
      entries.takeText('192.0.2.5/24');
      entries.takeRange(1, 2, 'x');
    });
    expect(report).toMatchObject({ entries: 2, hostBits: 1 });
  });
});

describe('words and blocks', () => {
  test('takeWords: the first ones of the column, each an entry', () => {
    const words = Uint32Array.of(0xc0000201, 0xffffffff, 0, 0xc0000209);
    const got = collecting((entries) => entries.takeWords(words, 3));
    expect(got.prefixes).toEqual(['0.0.0.0', '192.0.2.1', '255.255.255.255']);
    expect(got.nodes).toEqual(got.prefixes);
    expect(got.report).toMatchObject({ entries: 3, widest: { v4: 0, v6: -1 } });
  });

  test('takeWords after a wider entry does not narrow it', () => {
    const { report } = collecting((entries) => {
      entries.takeText('192.0.2.0/24');
      entries.takeWords(Uint32Array.of(1), 1);
    });
    expect(report.widest).toEqual({ v4: 8, v6: -1 });
  });

  test('takeBlock counts host bits, clears them, and tells the width', () => {
    const { prefixes, report } = collecting((entries) => {
      entries.takeBlock(IPV4, Uint32Array.of(0xc0000205, 0, 0, 0, 24));
      entries.takeBlock(IPV4, Uint32Array.of(0xc6336400, 0, 0, 0, 24));
      entries.takeBlock(IPV6, Uint32Array.of(0x20010db8, 0, 0, 1, 48));
      entries.takeBlock(IPV6, Uint32Array.of(0x20010db8, 1 << 16, 0, 0, 48));
      entries.takeBlock(IPV6, Uint32Array.of(0x20010db8, 0xffff0000, 0, 1, 128));
    });
    expect(prefixes).toEqual(['192.0.2.0/24', '198.51.100.0/24', '2001:db8::/47', '2001:db8:ffff::1']);
    expect(report).toMatchObject({ entries: 5, hostBits: 2, widest: { v4: 8, v6: 80 } });
  });
});

describe('the account', () => {
  test('five rejected lines are shown with their numbers, all are counted by reason', () => {
    const { report } = collecting((entries) => {
      for (entries.line = 1; entries.line <= 8; entries.line++)
        entries.takeText(entries.line % 2 === 0 ? 'x' : '192.0.2.1/40');
    });
    expect(report.samples.map(({ line, text }) => [line, text])).toEqual([
      [1, '192.0.2.1/40'],
      [2, 'x'],
      [3, '192.0.2.1/40'],
      [4, 'x'],
      [5, '192.0.2.1/40'],
    ]);
    expect(report).toMatchObject({ rejected: 8, reasons: { 'bad prefix length': 4, 'not an address': 4 } });
  });

  test('of a long line, 120 characters are shown', () => {
    const { report } = collecting((entries) => {
      entries.reject('line too long', 'x'.repeat(1000));
      entries.reject('line too long', bytesOf('y'.repeat(1000)));
    });
    expect(report.samples.map(({ text }) => text)).toEqual(['x'.repeat(120), 'y'.repeat(120)]);
  });

  test('bytes are shown as UTF-8, the mark at their begin and bytes that are none too', () => {
    const { report } = collecting((entries) => {
      entries.reject('not an address', bytesOf('\ufeffbücher'));
      entries.reject('not an address', Uint8Array.of(0x61, 0xff, 0x62));
    });
    expect(report.samples.map(({ text }) => text)).toEqual(['\ufeffbücher', 'a\ufffdb']);
  });

  test('entries left out, and the number that the list promises', () => {
    const { report } = collecting((entries) => {
      entries.leaveOut();
      entries.leaveOut();
      entries.records = 0;
    });
    expect(report).toMatchObject({ entries: 0, rejected: 0, leftOut: 2, records: 0 });
    expect(collecting(() => undefined).report).not.toHaveProperty('records');
  });
});
