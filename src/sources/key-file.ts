import { stat } from 'node:fs/promises';
import { BlocklistError } from '../errors.js';
import { readRegular } from '../io/read.js';

const LONGEST_KEY = 4096;

/** The key of a feed, from the first line of a file that only its owner may read. @throws BlocklistError `source-key`, `file-unreadable`. */
export async function readKey(path: string): Promise<string> {
  const [key = ''] = (await readSecret(path)).split(/\r?\n/, 1);
  // What stands in a header must be printable: RFC 9110 section 5.5.
  if (/^[\x21-\x7e]+$/.test(key.trim())) return key.trim();
  throw new BlocklistError('source-key', `${path} does not hold a key in its first line`, {
    where: path,
    hint: 'put the key, and nothing else, into the file',
  });
}

/** The whole of a file with secrets. @throws BlocklistError `source-key` when others may read it, or it holds more than a key; `file-unreadable`. */
export async function readSecret(path: string): Promise<string> {
  const content = await contentOf(path);
  const { mode } = await stat(path);
  if ((mode & 0o007) === 0) return content;
  throw new BlocklistError('source-key', `everybody on this host may read the key in ${path}`, {
    where: path,
    hint: `chmod o= ${path}`,
  });
}

async function contentOf(path: string): Promise<string> {
  try {
    return (await readRegular(path, LONGEST_KEY)).toString('utf8');
  } catch (error) {
    if (!(error instanceof BlocklistError && error.code === 'too-large')) throw error;
    throw new BlocklistError('source-key', `${path} holds more than a key: it is longer than ${LONGEST_KEY} bytes`, {
      where: path,
      hint: 'put the key, and nothing else, into the file',
    });
  }
}
