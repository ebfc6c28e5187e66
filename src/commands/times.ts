import { duration } from '../config/values.js';
import { BlocklistError } from '../errors.js';

/** A time that was typed as an option, in milliseconds. @throws BlocklistError `bad-usage` */
export function duringOption(text: string, option: string): number {
  const read = duration.safeParse(text);
  if (read.success && read.data > 0) return read.data;
  throw new BlocklistError('bad-usage', `${option} '${text}': expected a time like 60s, 30m, 12h or 7d`, {
    hint: 'see --help',
  });
}
