import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { readWhole } from './read.js';
import { FILE_MODE, writeAtomic } from './write.js';

/** Above two hundred thousand bans of fail2ban. */
const LARGEST = 1 << 26;

/**
 * What an earlier command wrote down; undefined when there is no such file.
 * @throws BlocklistError `state-invalid` when the file is damaged: what it says decides who is let in, so nothing is guessed.
 */
export async function readState<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema> | undefined> {
  const bytes = await readWhole(path, LARGEST);
  if (bytes === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    const what = cause instanceof z.ZodError ? z.prettifyError(cause).split('\n')[0] : String(cause);
    throw new BlocklistError('state-invalid', `${path} is damaged: ${what}`, {
      where: path,
      hint: 'mend it, or move it away: what it says is then forgotten',
      cause,
    });
  }
}

/** @throws BlocklistError `too-large`, `file-unwritable`; the file is then as it was. */
export async function writeState(path: string, value: object): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  // Every command would fail that reads it.
  if (bytes.length > LARGEST) {
    throw new BlocklistError(
      'too-large',
      `${path} would have ${bytes.length} bytes, more than the ${LARGEST} allowed`,
      {
        where: path,
        hint: 'take bans back that are not needed: blocklist unban --by NAME; what fail2ban bans comes with sources.fail2ban, too',
      },
    );
  }
  await writeAtomic(path, bytes, FILE_MODE);
}
