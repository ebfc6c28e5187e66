import { expect, test } from 'vitest';
import { escapeText } from '../../src/io/escape.js';

test('cutting does not leave half a character', () => {
  expect(escapeText('😀'.repeat(10), 6)).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/);
});

test('tag characters, which show nothing, are shown', () => {
  expect(escapeText('a\u{e0041}b')).toBe('a\\u{e0041}b');
});
