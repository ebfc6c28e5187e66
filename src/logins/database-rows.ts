import { BlocklistError } from '../errors.js';
import { type AskSqlite, readSqlite } from '../io/sqlite.js';

/** What SQLite keeps in a field, as JSON has it. */
export type Field = string | number | null;

/** A table and the columns of it that are read, in this order. The first one is the key: rows are sorted by it. */
export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
}

/**
 * All rows of a table, in the order of its key.
 * @throws BlocklistError as readSqlite; `file-unreadable` when there is no such file, `database-version` when the table has other columns
 */
export async function rowsOf(path: string, table: Table): Promise<Field[][]> {
  const rows = await readSqlite(path, (ask) => {
    requireColumns(path, ask, table);
    return ask({ columns: table.columns, from: `(SELECT * FROM ${table.name} ORDER BY ${table.columns[0]})` });
  });
  if (rows === undefined) {
    throw new BlocklistError('file-unreadable', `cannot read ${path}: no such file`, {
      where: path,
      hint: 'check the name',
    });
  }
  return lists(rows)
    .map(lists)
    .map((row) => row.map(field));
}

function requireColumns(path: string, ask: AskSqlite, { name, columns }: Table): void {
  const found = lists(ask({ columns: ['name'], from: `pragma_table_info('${name}')` })).map((row) => lists(row)[0]);
  const missing = columns.filter((column) => !found.includes(column));
  if (missing.length === 0) return;
  const what = found.length === 0 ? `has no table ${name}` : `has no ${missing.join(', ')} in its table ${name}`;
  throw new BlocklistError(
    'database-version',
    `${path} ${what}: it is of another program or of a version unknown here`,
    {
      where: path,
      hint: 'a newer blocklist may know it',
    },
  );
}

function lists(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function field(value: unknown): Field {
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

export function textOf(value: Field | undefined): string {
  return value === null || value === undefined ? '' : String(value);
}

/** Milliseconds of a time in these units; undefined for what is none: no date is farther from 1970 (ECMA-262, Time Values). */
export function timeOf(value: Field | undefined, unitsPerMs: number): number | undefined {
  if (typeof value !== 'number' || value <= 0) return undefined;
  const ms = Math.floor(value / unitsPerMs);
  return ms > 8.64e15 ? undefined : ms;
}
