import { BlocklistError } from '../errors.js';
import type { ListRequest } from './fetcher.js';
import { readKey } from './key-file.js';

/** An address that the operator wrote into the configuration, as `sources.custom` has it. */
export interface OwnAddress {
  readonly id: string;
  readonly url: string;
  /** seconds */
  readonly timeout: number;
  /** milliseconds */
  readonly interval: number;
  readonly 'key-file'?: string | undefined;
  readonly 'key-header'?: string | undefined;
}

/** How it is asked. @throws BlocklistError `config-invalid`, and as readKey. */
export async function ownRequest(entry: OwnAddress, file: string): Promise<ListRequest> {
  const { id, url, timeout, interval, 'key-file': keyFile, 'key-header': header } = entry;
  const ways = [header !== undefined, url.includes('{key}')].filter((isWay) => isWay).length;
  if (ways !== (keyFile === undefined ? 0 : 1)) {
    const message = `${id}: expected key-file with either key-header or {key} in the url, or none of the three`;
    throw new BlocklistError('config-invalid', message, {
      where: file,
      hint: 'say where the key is, and how it is sent',
    });
  }
  const value = keyFile === undefined ? undefined : await readKey(keyFile);
  return {
    url,
    ...(value === undefined ? {} : { key: { value, in: header === undefined ? 'url' : { header } } }),
    // The operator wrote this host down.
    target: 'any',
    timeoutMs: timeout * 1000,
    intervalMs: interval,
  };
}
