import { join } from 'node:path';
import type { Config } from '../../config/load.js';
import { readRegular, readWhole } from '../../io/read.js';
import { LastGood } from '../last-good.js';
import type { DatabaseContent, GeoKind } from './contract.js';
import { DATABASE_FORM } from './database.js';
import { ParsedFile } from './parsed-file.js';
import { type DatabaseSpec, databaseSpecs, readingKey, whereOf } from './specs.js';
import { GeoTable } from './table.js';

/** Databases as they are on this machine, for who only looks: nothing is fetched and nothing written. */

/** Above every database and every parsed form. */
const CAP = 2 ** 31;

export interface Found {
  /** what it holds, where somebody has read it before */
  readonly content: () => Promise<DatabaseContent | undefined>;
  /** where that stands, and what it is named by */
  readonly parsed: () => Promise<{ readonly path: string; readonly key: string } | undefined>;
  /** the database as it came */
  readonly body: () => Promise<Buffer | undefined>;
}

function ofFile(spec: DatabaseSpec, folder: string): Found {
  const path = whereOf(spec);
  const parsed = new ParsedFile(folder, readingKey(spec), path);
  return {
    content: async () => parsed.of(parsed.stamp()),
    parsed: async () => ({ path: parsed.pathOf(parsed.stamp()), key: parsed.key() }),
    body: () => readRegular(path, spec.reading.maxBytes),
  };
}

/** Not by LastGood.read, which writes what it had to read: who looks may be root in the cache of another user. */
function fetched(spec: DatabaseSpec, folder: string): Found {
  const pathOf = async (ending: '.parsed' | '.body') => {
    const meta = await new LastGood(folder, DATABASE_FORM).meta();
    return meta?.origin === whereOf(spec) ? join(folder, `${meta.digest}${ending}`) : undefined;
  };
  const bytesOf = async (ending: '.parsed' | '.body') => {
    const path = await pathOf(ending);
    return path === undefined ? undefined : readWhole(path, CAP);
  };
  return {
    content: async () => {
      const parsed = await bytesOf('.parsed');
      return parsed && DATABASE_FORM.decode(parsed, readingKey(spec));
    },
    parsed: async () => {
      const path = await pathOf('.parsed');
      return path === undefined ? undefined : { path, key: readingKey(spec) };
    },
    body: () => bytesOf('.body'),
  };
}

/** What is on this machine of a database; `folder` is its own in the cache. Both throw BlocklistError `file-unreadable`. */
export function foundOnDisk(spec: DatabaseSpec, folder: string): Found {
  return spec.origin.kind === 'url' ? fetched(spec, folder) : ofFile(spec, folder);
}

/**
 * The table of a kind, undefined when no database of it is configured or one of them was never fetched. `cache` is the folder of downloads.
 * @throws BlocklistError `bad-database`, `file-unreadable`
 */
export async function tableOnDisk(config: Config, cache: string, kind: GeoKind): Promise<GeoTable | undefined> {
  const tables = await Promise.all(
    databaseSpecs(config)[kind].map(async (spec) => {
      const found = foundOnDisk(spec, join(cache, 'databases', spec.id));
      const content = await found.content();
      const body = content === undefined ? await found.body() : undefined;
      return (content ?? (body && (await readNow(spec, body))))?.tables[kind];
    }),
  );
  const there = tables.filter((table) => table !== undefined);
  return there.length < tables.length ? undefined : GeoTable.stacked(there);
}

async function readNow(spec: DatabaseSpec, bytes: Buffer): Promise<DatabaseContent> {
  const { readDatabase } = await import('./reading.js');
  return readDatabase(spec.reading, bytes, whereOf(spec));
}
