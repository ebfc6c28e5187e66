import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPrefix, parsePrefix } from '../../../src/ip/index.js';
import { readBanLines, writeBanLines } from '../../../src/sources/bans/ban-lines.js';
import type { Ban } from '../../../src/sources/bans/contract.js';
import { problemOf } from '../../io/temp.js';

const header = (records: number, more = '') =>
  `{"schema":"blocklist/bans","version":1,"host":"web1","at":"2026-08-22T12:00:00.000Z","records":${records}${more}}\n`;
const BAN = '{"address":"45.9.1.7","since":"2026-08-22T11:00:00.000Z"}\n';

const read = (text: string | Buffer) => readBanLines(Buffer.from(text), 'web1.jsonl');
const shown = (bans: readonly Ban[]) => bans.map(({ prefix, ...rest }) => ({ ...rest, prefix: formatPrefix(prefix) }));

describe('the written form of bans', () => {
  const dates = fc.integer({ min: 0, max: Date.UTC(2100, 0) });
  const words = fc.option(fc.string({ maxLength: 50, unit: 'grapheme' }), { nil: undefined });
  const ban = fc.record<Ban>({
    prefix: fc
      .oneof(
        fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })),
        fc.tuple(fc.constant('2a00:1::5'), fc.integer({ min: 0, max: 128 })),
      )
      .map(([address, length]) => parsePrefix(`${address}/${length}`)),
    since: dates,
    until: fc.option(dates, { nil: undefined }),
    by: words,
    host: words,
    reason: words,
    count: fc.option(fc.integer({ min: 1 }), { nil: undefined }),
  });

  test('what is written is what is read, line ends and quotes in words included', () => {
    fc.assert(
      fc.property(fc.array(ban, { maxLength: 20 }), dates, (bans, at) => {
        const back = read(writeBanLines(bans, { at }));
        expect(shown(back.bans)).toEqual(shown(bans));
        expect(back).toMatchObject({ rejected: 0, samples: [], at });
      }),
    );
  });

  test('the host of the header is that of its bans, unless a ban names another', () => {
    const other = '{"address":"45.9.1.8","since":"2026-08-22T11:00:00.000Z","host":"db1"}\n';
    expect(read(header(2) + BAN + other).bans.map(({ host }) => host)).toEqual(['web1', 'db1']);
  });

  test('several files one after the other are one, as old as the oldest', () => {
    const second = header(1).replace('web1', 'web2').replace('08-22', '08-20');
    const { bans, at } = read(header(1) + BAN + second + BAN);
    expect(bans.map(({ host }) => host)).toEqual(['web1', 'web2']);
    expect(at).toBe(Date.UTC(2026, 7, 20, 12));
  });

  test('no bans at all is an answer when the header says so; blank lines and fields that are not known are none', () => {
    expect(read(header(0))).toMatchObject({ bans: [], rejected: 0 });
    const extended = BAN.replace('}', ',"country":"cn"}');
    expect(read(`${header(1, ',"more":1')}\n${extended}\n`)).toMatchObject({ rejected: 0, bans: [{ host: 'web1' }] });
  });

  test.each<[what: string, text: string, code: string]>([
    ['nothing', '', 'source-format'],
    ['no header', BAN, 'source-format'],
    ['a web page', '<html>', 'source-format'],
    ['a list of addresses', '45.9.1.7\n45.9.1.8\n', 'source-format'],
    ['another version', header(1).replace('"version":1', '"version":2') + BAN, 'source-format'],
    ['a date that is none', header(1).replace('2026-08-22T', '2026-99-22T') + BAN, 'source-format'],
    ['cut off between lines', header(2) + BAN, 'source-records'],
    ['cut off before the next header', header(2) + BAN + header(0), 'source-records'],
    ['more than the header says', header(1) + BAN + BAN, 'source-records'],
  ])('%s is refused', async (_, text, code) => {
    expect(await problemOf(async () => read(text))).toMatchObject({ code, where: 'web1.jsonl' });
  });

  test.each<[what: string, line: string, reason: string]>([
    ['half a line', '{"address":"45.9.1.7","sin', 'not JSON'],
    ['an address that is none', BAN.replace('45.9.1.7', '010.0.0.1'), 'not an address'],
    ['a range', BAN.replace('45.9.1.7', '45.9.1.7-45.9.1.9'), 'not an address'],
    ['no address', '{"since":"2026-08-22T11:00:00.000Z"}', 'missing field'],
    ['no date', '{"address":"45.9.1.7"}', 'missing field'],
    ['a date that is none', BAN.replace('08-22', '08-99'), 'missing field'],
    ['an end that is none', BAN.replace('}', ',"until":"soon"}'), 'missing field'],
    ['an array', '[1]', 'missing field'],
    ['null', 'null', 'missing field'],
    ['a line without end', `{"address":"${'4'.repeat(5000)}"}`, 'line too long'],
  ])('%s is counted and shown', (_, line, reason) => {
    const { bans, rejected, samples } = read(`${header(2)}${line.trim()}\n${BAN}`);
    expect(bans).toHaveLength(1);
    expect(rejected).toBe(1);
    expect(samples).toMatchObject([{ line: 2, reason }]);
  });

  test('any bytes end in bans or in a refusal, and soon', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isHeaded) => {
        const body = Buffer.concat([Buffer.from(isHeaded ? header(3) : ''), Buffer.from(bytes)]);
        try {
          read(body);
        } catch (error) {
          expect(['source-format', 'source-records']).toContain((error as { code?: string }).code);
        }
      }),
    );
  });
});
