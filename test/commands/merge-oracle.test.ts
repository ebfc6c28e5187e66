import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bundledList } from '../../src/sources/feeds/catalogue.js';
import { must } from '../system/processes.js';
import { describeSystem } from '../system/requirements.js';
import { blocklist, folderWith } from './cli.js';

/** A linear congruential generator: the same numbers in every run. */
function numbersFrom(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

/** Addresses, blocks and ranges, crowded so that they overlap and touch, with the ends of the space among them. */
function listOf(seed: number, size: number): string {
  const random = numbersFrom(seed);
  const base = [0, 0xffff_fc00, 0x7fff_fe00, 0xc000_0200][seed % 4]!;
  const spread = [1024, 1024, 1 << 12, 1 << 20][(seed * 3) % 4]!;
  const at = () => Math.min(0xffff_ffff, base + random(spread));
  const lines = Array.from({ length: size }, () => {
    const kind = random(4);
    if (kind < 2) return dotted(at());
    if (kind === 2) {
      const length = 32 - random(10);
      const size2 = 2 ** (32 - length);
      return `${dotted(Math.floor(at() / size2) * size2)}/${length}`;
    }
    const first = at();
    return `${dotted(first)}-${dotted(Math.min(0xffff_ffff, first + random(300)))}`;
  });
  return `${lines.join('\n')}\n`;
}

const REAL = fileURLToPath(new URL('../../../shared/lists/', import.meta.url));

/** Lists of the real world, where a folder of them lies beside the repository. */
function realLists(): string[] {
  return existsSync(REAL)
    ? readdirSync(REAL).filter((name) => /\.txt(\.gz)?$/.test(name) && !/ipv6|counts/.test(name))
    : [];
}

describeSystem('the same bytes as iprange', ['iprange'], () => {
  test.each(Array.from({ length: 8 }, (_, seed) => [seed, 10 + seed * 90]))(
    'of the made-up lists %i with %i lines: union, exclude, intersect, ranges',
    async (seed, size) => {
      const folder = await folderWith({ a: listOf(seed, size), b: listOf(seed + 4, size), c: listOf(seed + 8, 20) });
      const ours = (...args: string[]) => blocklist(['merge', ...args], { cwd: folder });
      const theirs = (...args: string[]) => must(['iprange', ...args], { cwd: folder });
      expect(await ours('a', 'b', 'c')).toEqual({ status: 0, stdout: await theirs('a', 'b', 'c'), stderr: '' });
      expect((await ours('a', 'b', '--exclude', 'c')).stdout).toBe(await theirs('a', 'b', '--except', 'c'));
      expect((await ours('a', '--intersect', 'b')).stdout).toBe(await theirs('--common', 'a', 'b'));
      // A single address is not a range for us.
      const ranges = (await theirs('--print-ranges', 'a', 'b')).replaceAll(/^(.*)-\1$/gm, '$1');
      expect((await ours('a', 'b', '--format', 'range')).stdout).toBe(ranges);
    },
  );

  test('of the bundled list', async () => {
    const path = bundledList('ipsum-3.txt');
    expect(await blocklist(['merge', path])).toEqual({ status: 0, stdout: await must(['iprange', path]), stderr: '' });
  });

  test.each(realLists())('of the real list %s', async (name) => {
    const path = join(REAL, name);
    const unpack = name.endsWith('.gz') ? 'zcat "$1"' : 'cat "$1"';
    const theirs = await must(['sh', '-c', `${unpack} | grep -v : | iprange`, 'sh', path]);
    expect(theirs.length).toBeGreaterThan(100);
    expect((await blocklist(['merge', '-4', path])).stdout === theirs).toBe(true);
  });
});
