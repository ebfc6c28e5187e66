import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import { sourceProblem } from '../../src/sources/check.js';
import { cachedRanges } from '../../src/sources/ranges.js';
import { folderWith } from '../commands/cli.js';

const BODY = '104.16.0.0/13\n172.64.0.0/13\n';
const digest = createHash('sha256').update(BODY).digest('hex');
const meta = { version: 2, origin: 'https://www.cloudflare.com/ips-v4/', digest, fetched: 1, changed: 1 };
const config = parseConfig('{}', '/nowhere/blocklist.yaml');

test('ranges of a CDN are read from the cache, and nothing is written there', async () => {
  const cache = await folderWith({
    'cloudflare/meta.json': JSON.stringify(meta),
    [`cloudflare/${digest}.body`]: BODY,
    'fastly/meta.json': '{',
  });
  const [found, ...others] = await cachedRanges(config, cache);
  expect(found?.id).toBe('cloudflare');
  expect(found?.set.has('172.64.1.1')).toBe(true);
  expect(others).toEqual([]);
  expect(await readdir(join(cache, 'cloudflare'))).toHaveLength(2);
});

test('a feed that nobody knows is what is wrong with a configuration', async () => {
  expect(await sourceProblem(config)).toBeUndefined();
  const wrong = parseConfig('sources: {feeds: [ipsum-44]}', '/nowhere/blocklist.yaml');
  expect(await sourceProblem(wrong)).toMatchObject({ code: 'config-invalid' });
});
