import { join } from 'node:path';
import type { Config } from '../../config/load.js';
import { IpSet } from '../../ip/index.js';
import type { DatabaseContent, GeoKind } from './contract.js';
import { namedCountries } from './named-places.js';
import { foundOnDisk } from './offline.js';
import { readDatabase } from './reading.js';
import { bundledSpec, type DatabaseSpec, databaseSpecs, whereOf } from './specs.js';
import { GeoTable } from './table.js';
import { unknownTo } from './unknown.js';

/** Whether what stands in these files may decide what root loads. */
type IsTrusted = (paths: readonly string[]) => Promise<boolean>;

/**
 * The addresses of all countries and networks that a configuration blocks as a whole, by databases that are believed. What was downloaded by another user is not:
 * for countries the bundled database stands in, and networks are unknown then. Parsed forms are not looked at, for the same reason.
 * @throws BlocklistError `bad-database`, `file-unreadable`
 */
export async function placesOnDisk(config: Config, cache: string, isTrusted: IsTrusted): Promise<IpSet> {
  const { countries, asns } = config.sources;
  const labels = namedCountries(countries.block).map(({ label }) => label);
  const tableOf = (kind: GeoKind) => believed(config, cache, kind, isTrusted);
  const country = labels.length > 0 || countries.unknown === 'drop' ? await tableOf('country') : undefined;
  const asn = asns.length > 0 ? await tableOf('asn') : undefined;
  return IpSet.unionOf([
    ...(country?.setsOf(labels).values() ?? []),
    ...(asn?.setsOf(asns).values() ?? []),
    ...(country !== undefined && countries.unknown === 'drop' ? [unknownTo(country)] : []),
  ]);
}

async function believed(
  config: Config,
  cache: string,
  kind: GeoKind,
  isTrusted: IsTrusted,
): Promise<GeoTable | undefined> {
  const tables: GeoTable[] = [];
  for (const spec of databaseSpecs(config)[kind]) {
    const content = await contentOf(spec, join(cache, 'databases', spec.id), isTrusted);
    const table = content?.tables[kind];
    if (table !== undefined) tables.push(table);
    else if (kind === 'country') tables.push(...(await bundledTable(config)));
  }
  return GeoTable.stacked(tables);
}

async function contentOf(
  spec: DatabaseSpec,
  folder: string,
  isTrusted: IsTrusted,
): Promise<DatabaseContent | undefined> {
  if (spec.origin.kind === 'url' && !(await isTrusted([join(folder, 'meta.json')]))) return undefined;
  const body = await foundOnDisk(spec, folder).body();
  return body && readDatabase(spec.reading, body, whereOf(spec));
}

async function bundledTable(config: Config): Promise<readonly GeoTable[]> {
  const spec = bundledSpec(config, ['country']);
  const { tables } = (await contentOf(spec, '', async () => true)) ?? {};
  return tables?.country === undefined ? [] : [tables.country];
}
