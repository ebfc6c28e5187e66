import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BlocklistError } from '../errors.js';
import { errnoOf, readWhole } from '../io/read.js';

/** What is not ours to see. */
export const DENIED = 'denied';
export type Denied = typeof DENIED;

/** Above any file of /etc and /proc that is looked at. */
const FILE_CAP = 1 << 24;

/** The text of a small file; undefined when there is none. */
export async function textOf(root: string, path: string): Promise<{ readonly text: string } | Denied | undefined> {
  try {
    const bytes = await readWhole(join(root, path), FILE_CAP);
    return bytes === undefined ? undefined : { text: bytes.toString('utf8') };
  } catch (error) {
    if (error instanceof BlocklistError) return errnoOf(error.cause) === 'ENOTDIR' ? undefined : DENIED;
    throw error;
  }
}

/** The same where it does not matter why there is no text. */
export async function wordsOf(root: string, path: string): Promise<string> {
  const found = await textOf(root, path);
  return typeof found === 'object' ? found.text : '';
}

/** Names in a folder; none when there is no such folder or it is not ours to see. */
export async function namesIn(root: string, path: string): Promise<string[]> {
  try {
    return (await readdir(join(root, path))).sort();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}

/** Whether there is anything at that place, were it only a link that leads nowhere. */
export async function isThere(root: string, path: string): Promise<boolean> {
  try {
    await lstat(join(root, path));
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}

/** The value, or the failure as a value. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | BlocklistError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BlocklistError) return error;
    throw error;
  }
}
