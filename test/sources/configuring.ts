import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseConfig } from '../../src/config/load.js';
import { allowFeeds, blockFeeds, customSpecs } from '../../src/sources/configured.js';
import { readCatalogue } from '../../src/sources/feeds/catalogue.js';
import type { ListRequest } from '../../src/sources/fetcher.js';
import { configuredSources } from '../../src/sources/index.js';
import type { ListSpec } from '../../src/sources/list-source.js';
import { tempFolder } from '../io/temp.js';
import { environmentAt } from './specs.js';

export const FILE = '/srv/x/blocklist.yaml';

/** The whole way of a configuration, with nothing fetched. */
export async function configuredIn(yaml: string, accepted: readonly string[] = [], file = FILE) {
  const { now, fetcher, progress } = await environmentAt('/nonexistent/cache');
  const place = { cache: '/nonexistent/cache', state: '/nonexistent/state', accepted: new Set(accepted) };
  return configuredSources(parseConfig(yaml, file), { ...place, now, fetcher, progress });
}

/** The lists that come of a configuration. */
export async function specsOf(yaml: string, file = FILE): Promise<ListSpec[]> {
  const [config, catalogue] = [parseConfig(yaml, file), await readCatalogue()];
  return [
    ...(await blockFeeds(config, catalogue)),
    ...(await customSpecs(config)),
    ...(await allowFeeds(config, catalogue)),
  ];
}

export function requestsOf({ parts }: ListSpec): ListRequest[] {
  return parts.flatMap((part) => (part.kind === 'url' ? [part.request] : []));
}

/** A configuration's place with a file `secret` beside it. */
export async function withKey(mode = 0o600): Promise<{ readonly file: string; readonly path: string }> {
  const folder = await tempFolder();
  const path = join(folder, 'secret');
  await writeFile(path, 'user:s3cret+/\n');
  await chmod(path, mode);
  return { file: join(folder, 'blocklist.yaml'), path };
}

/** The rows of a table, as test.each takes them. */
export const rows = <T extends readonly unknown[]>(...all: T[]) => all;
