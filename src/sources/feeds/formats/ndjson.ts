import { isRecord } from './json.js';
import { filterOf, lineFormat, withoutPort } from './text.js';

/** As Spamhaus publishes DROP: an object a line, and a last one of metadata that says how many there are (`records`). */
export const ndjson = lineFormat(
  'ndjson',
  'a JSON object a line; field: which one holds the address; a promised number of records is checked',
  ({ field = '', where }, entries) => {
    const isWanted = filterOf(where);
    return (line) => {
      const object = objectIn(line);
      if (object === undefined) return entries.reject('not JSON', line);
      if (object.type === 'metadata') {
        if (typeof object.records === 'number') entries.records = object.records;
        return;
      }
      const value = object[field];
      if (typeof value !== 'string') entries.reject('missing field', line);
      else if (isWanted((name) => object[name])) entries.takeText(withoutPort(value.trim()), line);
      else entries.leaveOut();
    };
  },
);

function objectIn(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
