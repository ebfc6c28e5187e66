import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../io/temp.js';
import { sends, testServer } from './server.js';
import { keptIn, loadSpec, textOf, urlSpec } from './specs.js';

const LIST = '192.0.2.1\n192.0.2.20\n';

async function kept(etag?: string) {
  const server = await testServer((request, response) => {
    if (etag !== undefined && request.headers['if-none-match'] === etag) {
      response.writeHead(304);
      response.end();
    } else sends(LIST, etag === undefined ? {} : { etag })(request, response);
  });
  const cache = await tempFolder();
  const spec = urlSpec(`${server.origin}/list`);
  await loadSpec(spec, cache);
  const name = Object.keys(await keptIn(cache)).find((each) => each.endsWith('.body')) ?? '';
  const body = join(cache, 's', name);
  const parsed = body.replace('.body', '.parsed');
  return { server, cache, spec, body, parsed, removeParsed: () => rm(parsed) };
}

describe('the body of last good is gone, its meta.json is not', () => {
  test('a server that says 304 is asked again without condition', async () => {
    const { cache, spec, body, removeParsed } = await kept('"1"');
    await removeParsed();
    await rm(body);
    expect(textOf((await loadSpec(spec, cache)).set)).toEqual(['192.0.2.1', '192.0.2.20']);
  });

  test('the same body, fetched again, is written again', async () => {
    const { server, cache, spec, body, removeParsed } = await kept();
    await removeParsed();
    await rm(body);
    expect(await loadSpec(spec, cache)).toMatchObject({ state: 'fresh' });
    await server.stop();
    expect(await loadSpec(spec, cache)).toMatchObject({ state: 'kept' });
  });
});

describe('the body of last good is not what its name says', () => {
  test('a body cut off on disk is not used as if it were whole', async () => {
    const { server, cache, spec, body, removeParsed } = await kept();
    await removeParsed();
    await truncate(body, LIST.length - 2);
    await server.stop();
    // 192.0.2.20 became 192.0.2.2: somebody else's address
    const loaded = await loadSpec(spec, cache).catch(() => undefined);
    expect(loaded && textOf(loaded.set)).not.toEqual(['192.0.2.1', '192.0.2.2']);
  });

  test('a 304 does not confirm it', async () => {
    const { cache, spec, body, removeParsed } = await kept('"1"');
    await removeParsed();
    await writeFile(body, '198.51.100.1\n');
    expect(textOf((await loadSpec(spec, cache)).set)).toEqual(['192.0.2.1', '192.0.2.20']);
  });
});

test('a meta.json beyond all measure is as if nothing was kept', async () => {
  const { cache, spec } = await kept();
  await writeFile(join(cache, 's', 'meta.json'), ' '.repeat(70_000));
  expect(await loadSpec(spec, cache)).toMatchObject({ state: 'fresh' });
});

test('why the fetch failed is told, also when last good is damaged', async () => {
  const { server, cache, spec, body, removeParsed } = await kept();
  await removeParsed();
  await rm(body);
  await server.stop();
  await expect(loadSpec(spec, cache)).rejects.toMatchObject({ code: 'http-failed' });
});

describe('the parsed form', () => {
  test('serves alone when the body is gone', async () => {
    const { server, cache, spec, body } = await kept();
    await rm(body);
    await server.stop();
    expect(textOf((await loadSpec(spec, cache)).set)).toEqual(['192.0.2.1', '192.0.2.20']);
  });

  test.each<[what: string, damage: (path: string) => Promise<void>]>([
    ['cut off', (path) => truncate(path, 100)],
    ['empty', (path) => truncate(path, 0)],
    ['of something else', (path) => writeFile(path, 'x'.repeat(500))],
    ['gone', (path) => rm(path)],
  ])('%s: the body is read again, and the parsed form is made anew', async (_, damage) => {
    const { server, cache, spec, parsed } = await kept();
    const before = await readFile(parsed);
    await damage(parsed);
    await server.stop();
    expect(textOf((await loadSpec(spec, cache)).set)).toEqual(['192.0.2.1', '192.0.2.20']);
    expect(await readFile(parsed)).toEqual(before);
  });

  test('one flipped bit in an address does not change whom we block', async () => {
    const { server, cache, spec, parsed } = await kept();
    const bytes = await readFile(parsed);
    const at = bytes.indexOf(Buffer.from(Uint32Array.of(0xc0000201).buffer));
    expect(at).toBeGreaterThan(0);
    bytes[at] = bytes[at]! ^ 1;
    await writeFile(parsed, bytes);
    await server.stop();
    expect(textOf((await loadSpec(spec, cache)).set)).toEqual(['192.0.2.1', '192.0.2.20']);
  });
});
