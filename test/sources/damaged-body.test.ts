import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../io/temp.js';
import { sends, testServer } from './server.js';
import { contentOf, loadSpec, textOf, urlSpec } from './specs.js';

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
  const body = Object.keys(await contentOf(cache)).find((name) => name.endsWith('.body')) ?? '';
  return { server, cache, spec, body: join(cache, body) };
}

describe('the body of last good is gone, its meta.json is not', () => {
  test('a server that says 304 is asked again without condition', async () => {
    const { cache, spec, body } = await kept('"1"');
    await rm(body);
    expect(textOf((await loadSpec(spec, cache)).set)).toEqual(['192.0.2.1', '192.0.2.20']);
  });

  test('the same body, fetched again, is written again', async () => {
    const { server, cache, spec, body } = await kept();
    await rm(body);
    expect(await loadSpec(spec, cache)).toMatchObject({ state: 'fresh' });
    await server.stop();
    expect(await loadSpec(spec, cache)).toMatchObject({ state: 'kept' });
  });
});

describe('the body of last good is not what its name says', () => {
  test('a body cut off on disk is not used as if it were whole', async () => {
    const { server, cache, spec, body } = await kept();
    await truncate(body, LIST.length - 2);
    await server.stop();
    // 192.0.2.20 became 192.0.2.2: somebody else's address
    const loaded = await loadSpec(spec, cache).catch(() => undefined);
    expect(loaded && textOf(loaded.set)).not.toEqual(['192.0.2.1', '192.0.2.2']);
  });

  test('a 304 does not confirm it', async () => {
    const { cache, spec, body } = await kept('"1"');
    await writeFile(body, '198.51.100.1\n');
    expect(textOf((await loadSpec(spec, cache)).set)).toEqual(['192.0.2.1', '192.0.2.20']);
  });
});

test('a meta.json beyond all measure is as if nothing was kept', async () => {
  const { cache, spec } = await kept();
  await writeFile(join(cache, 'meta.json'), ' '.repeat(70_000));
  expect(await loadSpec(spec, cache)).toMatchObject({ state: 'fresh' });
});

test('why the fetch failed is told, also when last good is damaged', async () => {
  const { server, cache, spec, body } = await kept();
  await rm(body);
  await server.stop();
  await expect(loadSpec(spec, cache)).rejects.toMatchObject({ code: 'http-failed' });
});
