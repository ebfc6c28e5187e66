import { describe, expect, test } from 'vitest';
import { escapeText } from '../../src/io/escape.js';

describe('escapeText', () => {
  test.each<[what: string, text: string, shown: string]>([
    ['plain text', '192.0.2.1 # ok', '192.0.2.1 # ok'],
    ['letters of other scripts', 'é 中 Ж 😀', 'é 中 Ж 😀'],
    ['nothing', '', ''],
    ['a colour', '\x1b[31mred', '\\x1b[31mred'],
    ['a window title', '\x1b]0;x\x07', '\\x1b]0;x\\x07'],
    ['the one-byte form of the same', '\x9b31m', '\\x9b31m'],
    ['line ends and tabs', 'a\r\n\tb', 'a\\x0d\\x0a\\x09b'],
    ['zero, backspace, delete', '\0\b\x7f', '\\x00\\x08\\x7f'],
    ['the last C1 control', '\x9f\xa0', '\\x9f\xa0'],
    ['soft hyphen', 'a\u00adb', 'a\\xadb'],
    ['right to left override', 'a\u202eb', 'a\\u202eb'],
    ['embedding and isolates', '\u202a\u202c\u2066\u2069', '\\u202a\\u202c\\u2066\\u2069'],
    ['direction marks', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
    ['zero width', '\u200b\u200c\u200d\ufeff\u2060', '\\u200b\\u200c\\u200d\\ufeff\\u2060'],
    ['line and paragraph separators', '\u2028\u2029', '\\u2028\\u2029'],
    ['annotations', '\ufff9\ufffa\ufffb', '\\ufff9\\ufffa\\ufffb'],
    ['a backslash stays one', '\\x1b', '\\x1b'],
  ])('%s', (_, text, shown) => {
    expect(escapeText(text)).toBe(shown);
  });

  test.each<[text: string, limit: number, shown: string]>([
    ['abcdef', 6, 'abcdef'],
    ['abcdefg', 6, 'abcde…'],
    ['abc', 1, '…'],
    ['abc\n', 4, 'abc\\x0a'],
    ['abcd\n', 4, 'abc…'],
  ])('%j cut to %i', (text, limit, shown) => {
    expect(escapeText(text, limit)).toBe(shown);
  });

  test('cuts at 120 when nothing is said', () => {
    expect(escapeText('x'.repeat(120))).toBe('x'.repeat(120));
    expect(escapeText('x'.repeat(121))).toBe(`${'x'.repeat(119)}…`);
  });

  test('no control is left, whatever comes', () => {
    const all = String.fromCodePoint(...Array.from({ length: 0x3000 }, (_, code) => code));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(escapeText(all, 0x3000)).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
  });
});
