import { chmod, mkdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlocklistError, type ErrorCode } from '../../src/errors.js';
import type { ListSpec } from '../../src/sources/list-source.js';
import { problemOf, tempFolder } from '../io/temp.js';
import { compiled } from '../io/tmpfs.js';
import { must, run } from '../system/processes.js';
import { systemTest, WITHOUT_RIGHTS } from '../system/requirements.js';
import { keptIn, LIMITS, loadSpec, NOON, specOf, textOf } from './specs.js';

const GOOD = '192.0.2.1\n192.0.2.2\n';

function fileSpec(path: string, changes: Partial<ListSpec> = {}): ListSpec {
  return specOf({ kind: 'file', path }, changes);
}

async function places() {
  const root = await tempFolder();
  return { path: join(root, 'list.txt'), cache: join(root, 'cache') };
}

describe('a file that is a list', () => {
  test.each<[what: string, content: Uint8Array | string]>([
    ['plain', GOOD],
    ['gzip, whatever its name', gzipSync(GOOD)],
    ['CRLF and a byte order mark', '\ufeff192.0.2.1\r\n192.0.2.2\r\n'],
  ])('%s', async (_, content) => {
    const { path, cache } = await places();
    await writeFile(path, content);
    const written = new Date('2026-08-01T00:00:00Z');
    await utimes(path, written, written);
    const loaded = await loadSpec(fileSpec(path), cache, 'avoid');
    expect(textOf(loaded.set)).toEqual(['192.0.2.1', '192.0.2.2']);
    // Its own date, not that of the reading.
    expect(loaded).toMatchObject({ id: 's', kind: 'file', state: 'fresh', date: written.getTime() });
    expect(loaded.problem).toBeUndefined();
  });

  test('is read anew each time, and the newest is last good', async () => {
    const { path, cache } = await places();
    await writeFile(path, GOOD);
    await loadSpec(fileSpec(path), cache);
    await writeFile(path, '198.51.100.1\n');
    expect(textOf((await loadSpec(fileSpec(path), cache)).set)).toEqual(['198.51.100.1']);
    await rm(path);
    expect(textOf((await loadSpec(fileSpec(path), cache)).set)).toEqual(['198.51.100.1']);
  });

  test('a last line without an end counts', async () => {
    const { path, cache } = await places();
    await writeFile(path, '192.0.2.1\n192.0.2.2');
    expect((await loadSpec(fileSpec(path), cache)).counts.entries).toBe(2);
  });
});

const DAMAGE: ReadonlyArray<readonly [what: string, make: (path: string) => Promise<unknown>, code: ErrorCode]> = [
  ['missing', async () => undefined, 'file-unreadable'],
  ['a folder', (path) => mkdir(path), 'file-unreadable'],
  ['a pipe without a writer', (path) => must(['mkfifo', path]), 'file-unreadable'],
  ['empty', (path) => writeFile(path, ''), 'source-empty'],
  ['comments alone', (path) => writeFile(path, '# to do\n'), 'source-empty'],
  ['NUL bytes', (path) => writeFile(path, Buffer.alloc(5000)), 'source-empty'],
  ['NUL bytes in each line', (path) => writeFile(path, '192.0.2.1\0\n'.repeat(9)), 'source-empty'],
  ['a web page', (path) => writeFile(path, `<!doctype html>\n${GOOD}`), 'source-html'],
  ['UTF-16', (path) => writeFile(path, Buffer.from(`\ufeff${GOOD}`, 'utf16le')), 'bad-encoding'],
  ['gzip, cut off', (path) => writeFile(path, gzipSync(GOOD).subarray(0, 15)), 'bad-gzip'],
  ['one byte over the cap', (path) => writeFile(path, '#'.repeat((1 << 20) + 1)), 'too-large'],
  ['a bomb', (path) => writeFile(path, gzipSync(Buffer.alloc(10_000_000))), 'too-large'],
];

describe.each(DAMAGE)('a file that is %s', (_, make, code) => {
  test('without last good: the error, with its path, and nothing is kept', async () => {
    const { path, cache } = await places();
    await make(path);
    expect(await problemOf(() => loadSpec(fileSpec(path), cache))).toMatchObject({ code, exitStatus: 5 });
    expect(await keptIn(cache)).toEqual({});
  });

  test('with last good: it serves, and stays as it is on disk', async () => {
    const { path, cache } = await places();
    await writeFile(path, GOOD);
    await loadSpec(fileSpec(path), cache);
    const before = await keptIn(cache);
    await rm(path);
    await make(path);
    const loaded = await loadSpec(fileSpec(path), cache);
    expect(textOf(loaded.set)).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(loaded).toMatchObject({ state: 'kept', date: NOON, problem: { code } });
    expect(await keptIn(cache)).toEqual(before);
  });
});

describe('hostile files', () => {
  test('a gigabyte without a line end: refused at the cap of 64 MB, in bounded memory', async () => {
    const { path, cache } = await places();
    await writeFile(path, '');
    await truncate(path, 1 << 30);
    const before = process.memoryUsage().rss;
    const problem = await problemOf(() => loadSpec(fileSpec(path, { maxBytes: 67_108_864 }), cache));
    expect(problem).toMatchObject({ code: 'too-large', where: path });
    expect(problem.message).toContain(' larger than 67,108,864 bytes');
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000);
  });

  test('whatever bytes: a list or a BlocklistError, never anything else', async () => {
    const { path, cache } = await places();
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc.uint8Array({ maxLength: 200 }).map((tail) => Uint8Array.of(0x1f, 0x8b, 8, 0, ...tail)),
      fc
        .array(fc.constantFrom('1.1.1.1', '\n', '\r', '/', '::', '-', '#', '\0', '<html', '\t9', ' '), {
          maxLength: 50,
        })
        .map((parts) => Buffer.from(parts.join(''))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        await rm(cache, { recursive: true, force: true });
        await writeFile(path, content);
        try {
          const { counts } = await loadSpec(fileSpec(path), cache);
          expect(counts.entries).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(BlocklistError);
        }
      }),
      { numRuns: 150, seed: 20_260_822 },
    );
  });

  systemTest('no permission: last good serves', ['root', 'setpriv'], async () => {
    const { path, cache } = await places();
    await writeFile(path, GOOD);
    await loadSpec(fileSpec(path), cache);
    await chmod(path, 0);
    const script = `
      import { listSource } from '${compiled('sources/list-source.js')}';
      const [path, cache] = process.argv.slice(1);
      const spec = {
        id: 's', direction: 'in', format: 'plain', options: {}, maxBytes: ${1 << 20},
        limits: ${JSON.stringify(LIMITS)}, parts: [{ kind: 'file', path }],
      };
      const environment = { cache, seen: cache, now: () => 0, change: 'judge' };
      const { state, problem, counts } = await listSource(spec, environment).load('avoid');
      console.log(JSON.stringify({ state, entries: counts.entries, code: problem.code, message: problem.message }));
    `;
    const argv = [...WITHOUT_RIGHTS, process.execPath, '--input-type=module', '-e', script, path, cache];
    const { stdout, stderr } = await run(argv);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      state: 'kept',
      entries: 2,
      code: 'file-unreadable',
      message: `cannot read ${path}: no permission to read it`,
    });
  });
});
