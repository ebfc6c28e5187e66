import { openBody } from '../../io/archive.js';
import type { Address } from '../../ip/index.js';
import type { Answer, DatabaseContent, DatabaseForm, GeoKind } from './contract.js';
import { badDatabase } from './damaged.js';
import { FORMS } from './forms/index.js';
import type { DatabaseReading } from './judge.js';

const WORDS = { country: 'country codes', asn: 'AS numbers' } as const;

/**
 * Opens a body, packed or not, and reads it in the form that it has.
 * @throws BlocklistError `bad-database` with line or reason; as openBody
 */
export async function readDatabase(reading: DatabaseReading, body: Buffer, where: string): Promise<DatabaseContent> {
  const { bytes, form } = await opened(reading, body, where);
  const content = await form.read(bytes, reading.kinds, where);
  for (const kind of reading.kinds) {
    if ((content.tables[kind]?.columns.labels.length ?? 0) === 0)
      throw badDatabase(`it holds no ${WORDS[kind]}`, where);
  }
  return content;
}

/** A way to ask a body for single addresses without reading all of it, or undefined where its form has none. @throws as readDatabase */
export async function askDatabase(
  reading: DatabaseReading,
  body: Buffer,
  kind: GeoKind,
  where: string,
): Promise<((address: Address) => Answer | undefined) | undefined> {
  const { bytes, form } = await opened(reading, body, where);
  return form.ask?.(bytes, kind, where);
}

async function opened(
  { member, maxBytes: cap }: DatabaseReading,
  body: Buffer,
  where: string,
): Promise<{ readonly bytes: Buffer; readonly form: DatabaseForm }> {
  const { bytes } = await openBody(body, { cap, where, ...(member === undefined ? {} : { member }) });
  const form = FORMS.find((each) => each.fits(bytes));
  if (form !== undefined) return { bytes, form };
  const names = FORMS.map(({ name }) => name).join(', ');
  throw badDatabase(bytes.length === 0 ? 'it is empty' : `it has none of the forms that are known (${names})`, where);
}
