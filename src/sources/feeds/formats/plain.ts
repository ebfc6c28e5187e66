import { IpSetBuilder, type ListOptions, ListReader } from '../../../ip/index.js';
import type { ListBody, ListFormat } from './contract.js';

/** Reads chunks of lines. Shared with the formats that are lines with something behind the address. */
export async function readLines(chunks: AsyncIterable<Uint8Array>, options: ListOptions): Promise<ListBody> {
  const builder = new IpSetBuilder();
  const reader = new ListReader(builder, options);
  for await (const chunk of chunks) reader.push(chunk);
  const report = reader.end();
  return { set: builder.build(), nodes: builder.buildNodes(), report };
}

export const plain: ListFormat = {
  name: 'plain',
  description: 'one address, CIDR block, netmask or range a line, comments with # ; //',
  read: (chunks) => readLines(chunks, { column: 'none' }),
};
