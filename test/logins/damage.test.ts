import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UtmpWalk } from '../../src/logins/utmp-walk.js';
import { runs } from '../ip/arbitraries.js';
import { fixture, told, walkBytes } from './read.js';
import { fileOf, recordBytes, sshLogin } from './records.mjs';

const good = await readFile(fixture('wtmp.good'));
const wide = await readFile(fixture('wtmp.aarch64'));

/** 52 bytes are missing from the second record, and "pts/" of the third stands where its time was. */
const spliced = (() => {
  const login = (n: number) => recordBytes(sshLogin({ seconds: 1_750_000_000 + n, pid: 4000 + n }));
  const logout = recordBytes({ type: 8, pid: 4001, line: 'pts/0', seconds: 1_750_000_100 });
  return Buffer.concat([login(0), login(1).subarray(0, 200), login(1).subarray(252), logout, login(2)]);
})();

/** Offsets of the records found. Requires that the pieces cover the file without a hole. */
function recordsIn(bytes: Uint8Array, size: number): number[] {
  const found: number[] = [];
  let next = 0;
  const walk = new UtmpWalk(() => {
    throw new Error('unknown');
  });
  const tell: Parameters<UtmpWalk['finish']>[0] = (piece) => {
    // expect() for each piece would take most of the time of these tests.
    if (piece.at !== next) throw new Error(`a hole from ${next} to ${piece.at}`);
    next = 'to' in piece ? piece.to : piece.at + size;
    if (piece.kind === 'record') found.push(piece.at);
  };
  walk.take(bytes, tell);
  walk.finish(tell);
  expect(next).toBe(bytes.length);
  return found;
}

interface Damage {
  readonly what: 'changed' | 'cut' | 'put in';
  readonly at: number;
  readonly bytes: Uint8Array;
}

const damage: fc.Arbitrary<Damage> = fc.record({
  what: fc.constantFrom('changed' as const, 'cut' as const, 'put in' as const),
  at: fc.nat(good.length - 1),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 60 }),
    fc.uint8Array({ minLength: 1, maxLength: 900, max: 8 }),
    fc.integer({ min: 1, max: 900 }).map((size) => new Uint8Array(size)),
  ),
});

/** The damaged file, and where each record stands in it that lost no byte. */
function damaged(file: Buffer, size: number, { what, at, bytes }: Damage): { file: Buffer; whole: number[] } {
  const by = bytes.length;
  const changed = Buffer.from(file);
  changed[at] = file[at]! ^ (bytes[0]! | 1);
  const result = {
    changed,
    cut: Buffer.concat([file.subarray(0, at), file.subarray(at + by)]),
    'put in': Buffer.concat([file.subarray(0, at), bytes, file.subarray(at)]),
  }[what];
  const [touched, shift] = { changed: [1, 0], cut: [by, -by], 'put in': [0, by] }[what] as [number, number];
  const starts = Array.from({ length: file.length / size }, (_, i) => i * size);
  const before = starts.filter((start) => start + size <= at);
  const behind = starts.filter((start) => start >= at + touched).map((start) => start + shift);
  return { file: result, whole: [...before, ...behind] };
}

describe('a file with one place damaged', () => {
  for (const [name, file, size, numRuns] of [
    ['384 bytes', good, 384, 8000],
    ['400 bytes', wide, 400, 2000],
  ] as const) {
    test(`records of ${name}: every whole one is found, and nothing farther away than the damage`, () => {
      fc.assert(
        fc.property(damage, (one) => {
          const { file: bytes, whole } = damaged(file, size, one);
          const found = recordsIn(bytes, size);
          expect(found).toEqual(expect.arrayContaining(whole));
          // What was put in may end as the record begins, so that this one stands there as well.
          const others = found.filter((at) => !whole.includes(at));
          const reach = one.what === 'put in' ? one.bytes.length : 0;
          expect(others.filter((at) => at <= one.at - size || at > one.at + reach)).toEqual([]);
          expect(others.length).toBeLessThanOrEqual(1);
        }),
        runs(numRuns),
      );
    });
  }

  test('52 bytes cut make a record of two, with the terminal of the second for its time: neither hides what is behind', () => {
    expect(recordsIn(spliced, 384)).toEqual([0, 716, 1100]);
  });

  test('a record in which another one begins is taken when nothing speaks against it', () => {
    const hidden = recordBytes(sshLogin({ seconds: 1_750_000_000 })).subarray(0, 180);
    const file = Buffer.concat([good.subarray(0, 768), hidden, good.subarray(768)]);
    expect(recordsIn(file, 384)).toEqual([0, 384, ...Array.from({ length: 13 }, (_, i) => 948 + 384 * i)]);
  });
});

test('cut into pieces of any size, a file yields the same', async () => {
  const files = await Promise.all(
    ['wtmp.byte-inserted-mid', 'wtmp.zeroed', 'wtmp.truncated', 'wtmp.hostile', 'wtmp.aarch64'].map((name) =>
      readFile(fixture(name)),
    ),
  );
  files.push(spliced);
  const expected = files.map((file) => walkBytes(file));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 5 }), (sizes) => {
      expect(files.map((file) => walkBytes(file, sizes))).toEqual(expected);
    }),
    runs(60),
  );
});

test('records over the edges of the memory are whole, and damage is found at each of them', () => {
  const count = 3000;
  const file = fileOf(Array.from({ length: count }, (_, i) => sshLogin({ seconds: 1_750_000_000 + i, pid: i + 1 })));
  for (let shift = 0; shift < 400; shift += 23) {
    const at = (1 << 18) - 200 + shift;
    const bytes = Buffer.concat([file.subarray(0, at), Buffer.from('x'), file.subarray(at)]);
    const events = walkBytes(bytes, [1 << 16]);
    const pids = events.flatMap((event) => (event.kind === 'login' ? [event.pid] : []));
    expect(pids.length).toBeGreaterThanOrEqual(count - 1);
    // Put into the seconds, the byte makes another time of them, and all else fits.
    expect(events.map(told).filter((line) => line.startsWith('damaged'))).toHaveLength(1);
  }
});

describe('bytes that are no records', () => {
  const events = (bytes: Uint8Array) => {
    try {
      return walkBytes(bytes);
    } catch (error) {
      if (error instanceof Error && error.message === 'unknown') return [];
      throw error;
    }
  };

  test('no login is made up, whatever they are', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 4000 }),
      // Like records: small numbers and zeros.
      fc.uint8Array({ maxLength: 4000, max: 9 }),
      fc.array(fc.constantFrom(0, 0, 0, 7, 47, 112), { maxLength: 4000 }).map((list) => Uint8Array.from(list)),
    );
    fc.assert(
      fc.property(bytes, (some) => {
        expect(events(some).filter(({ kind }) => kind !== 'oddity')).toEqual([]);
      }),
      runs(1000),
    );
  });

  test('ten megabytes of them between records take no longer than a moment', () => {
    let state = 7;
    const noise = Buffer.alloc(10_000_000);
    for (let i = 0; i < noise.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      noise[i] = (state >>> 24) % 9;
    }
    const many = Buffer.concat(Array.from({ length: 5 }, () => good));
    const start = performance.now();
    const found = walkBytes(Buffer.concat([many, noise, good]));
    expect(found.filter(({ kind }) => kind === 'login')).toHaveLength(6 * 7);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
