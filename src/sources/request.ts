import type { Config } from '../config/load.js';
import { BlocklistError } from '../errors.js';
import type { ListRequest } from './fetcher.js';
import { readKey } from './key-file.js';

/** What a configuration says about an address of the operator's own. */
export interface UrlEntry {
  readonly url: string;
  /** seconds */
  readonly timeout: number;
  /** milliseconds */
  readonly interval: number;
  readonly 'key-file'?: string | undefined;
  readonly 'key-header'?: string | undefined;
}

/** The request for it, with its key. @throws BlocklistError `config-invalid`, `source-key` */
export async function requestOf({ file }: Config, id: string, entry: UrlEntry): Promise<ListRequest> {
  const keyFile = entry['key-file'];
  const header = entry['key-header'];
  const ways = [header !== undefined, entry.url.includes('{key}')].filter((isWay) => isWay).length;
  if (ways !== (keyFile === undefined ? 0 : 1)) {
    const message = `${id}: expected key-file with either key-header or {key} in the url, or none of the three`;
    throw new BlocklistError('config-invalid', message, {
      where: file,
      hint: 'say where the key is, and how it is sent',
    });
  }
  const value = keyFile === undefined ? undefined : await readKey(keyFile);
  return {
    url: entry.url,
    ...(value === undefined ? {} : { key: { value, in: header === undefined ? 'url' : { header } } }),
    // The operator wrote this host down.
    target: 'any',
    timeoutMs: entry.timeout * 1000,
    intervalMs: entry.interval,
  };
}
