import { expect, test } from 'vitest';
import { IpSetBuilder, ListReader } from '../../src/ip/index.js';

test('a chunk that is a Buffer is not kept either', () => {
  const builder = new IpSetBuilder();
  const reader = new ListReader(builder);
  const chunk = Buffer.from('192.0.2.1\n198.51.');
  reader.push(chunk);
  chunk.fill(0x39);
  reader.push(Buffer.from('100.7\n'));
  expect(reader.end().entries).toBe(2);
});
