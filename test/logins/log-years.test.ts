import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Zone, zoneBelow } from '../../src/logins/zone.js';
import { line, read } from './lines.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY_MS = 86_400_000;

/** A login at a moment, as RFC 3164 writes it, in UTC. */
function logged(time: number): string {
  const date = new Date(time);
  const day = String(date.getUTCDate()).padStart(2, ' ');
  const clock = date.toISOString().slice(11, 19);
  return `${MONTHS[date.getUTCMonth()]} ${day} ${clock} h sshd[1]: Accepted password for a from 192.0.2.1 port 1 ssh2\n`;
}

async function yearsOf(times: readonly number[], changed: number, between = ''): Promise<number[]> {
  const events = await read(times.map((time) => logged(time) + between).join(''), new Date(changed).toISOString());
  return events.map(({ time = 0 }) => time);
}

describe('years of a log that has none', () => {
  test('any history, in order, is read as it was', async () => {
    const steps = fc.array(fc.integer({ min: 0, max: 300 * DAY_MS }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 0, max: 20 * DAY_MS }), async (gaps, idle) => {
        let time = Date.UTC(2001, 2, 1);
        const times = gaps.map((gap) => {
          time += Math.floor(gap / 1000) * 1000;
          return time;
        });
        expect(await yearsOf(times, time + idle)).toEqual(times);
      }),
      { numRuns: 100 },
    );
  });

  test('a large file: only some of its lines are looked at', async () => {
    const filler = 'Jan  2 00:00:00 h cron[1]: nothing\n'.replace('Jan  2', 'MMM DD');
    const days = Array.from({ length: 700 }, (_, i) => Date.UTC(2024, 1, 1) + i * DAY_MS);
    const text = days
      .map((time) => logged(time) + filler.replace('MMM DD', logged(time).slice(0, 6)).repeat(450))
      .join('');
    expect(text.length).toBeGreaterThan(1 << 23);
    const events = await read(text, new Date((days.at(-1) ?? 0) + DAY_MS).toISOString());
    expect(events.map(({ time }) => time)).toEqual(days);
  });

  test('a line a second too late, over New Year, is of the old one', async () => {
    const times = [
      Date.UTC(2025, 11, 31, 23, 59, 58),
      Date.UTC(2026, 0, 1),
      Date.UTC(2025, 11, 31, 23, 59, 59),
      Date.UTC(2026, 0, 1, 0, 0, 2),
    ];
    expect((await yearsOf(times, Date.UTC(2026, 0, 1, 1)))[3]).toBe(times[3]);
    expect((await yearsOf(times, Date.UTC(2026, 0, 1, 1)))[0]).toBe(times[0]);
  });

  test('Feb 29', async () => {
    const times = [Date.UTC(2024, 1, 29, 12), Date.UTC(2025, 0, 10, 12)];
    expect(await yearsOf(times, times[1] ?? 0)).toEqual(times);
  });

  test('no line is younger than its file', async () => {
    expect(await yearsOf([Date.UTC(2025, 11, 30)], Date.UTC(2026, 0, 15))).toEqual([Date.UTC(2025, 11, 30)]);
  });
});

describe('zones', () => {
  test.each([
    ['Europe/Berlin', 2026, [1, 15, 12], '2026-01-15T11:00:00.000Z'],
    ['Europe/Berlin', 2026, [7, 15, 12], '2026-07-15T10:00:00.000Z'],
    ['Europe/Berlin', 2026, [3, 29, 1], '2026-03-29T00:00:00.000Z'],
    ['Europe/Berlin', 2026, [3, 29, 4], '2026-03-29T02:00:00.000Z'],
    ['America/New_York', 2026, [11, 1, 12], '2026-11-01T17:00:00.000Z'],
    ['Asia/Kolkata', 2026, [1, 1, 0], '2025-12-31T18:30:00.000Z'],
    ['Pacific/Apia', 2026, [1, 1, 0], '2025-12-31T11:00:00.000Z'],
    ['UTC', 2026, [12, 31, 23], '2026-12-31T23:00:00.000Z'],
  ] as const)('%s %i %j is %s', (name, year, [month, day, hour], iso) => {
    const moment = new Zone(name).moment(year, { month, day, hour, minute: 0, second: 0 });
    expect(new Date(moment).toISOString()).toBe(iso);
  });

  test('of a system without one', async () => expect(await zoneBelow('/nonexistent')).toBeUndefined());
});

test('a leap second, and a day that is none', async () => {
  const text = (head: string) => `${head} h sshd[1]: Accepted password for a from 192.0.2.1 port 1 ssh2\n`;
  expect((await read(text('Dec 31 23:59:60'), '2017-01-01T01:00:00Z')).map(line)).toEqual([
    'login 2017-01-01T00:00:00 a 192.0.2.1 1 1 sshd password',
  ]);
  for (const head of ['Foo 31 23:59:59', 'Dec 32 23:59:59', 'Dec  0 23:59:59', 'Dec 31 24:00:00']) {
    expect(await read(`Dec 31 23:00:00 h x: y\n${text(head)}`)).toEqual([]);
  }
});
