import { expect, test } from 'vitest';
import { table } from '../../src/io/table.js';

test('columns are as wide as their widest cell, two blanks apart, without blanks at the end', () => {
  const columns = [{ title: 'set' }, { title: 'prefixes', align: 'right' }, { title: 'data' }] as const;
  expect(
    table(columns, [
      ['nodes4', '1', 'fresh'],
      ['a', '123,456,789', ''],
      ['', '', ''],
    ]),
  ).toBe(
    [
      'set        prefixes  data', //
      'nodes4            1  fresh',
      'a       123,456,789',
      '',
      '',
    ].join('\n'),
  );
});

test('without rows the titles stand alone', () => {
  expect(table([{ title: 'set' }, { title: 'n', align: 'right' }], [])).toBe('set  n\n');
});

test('letters that take two columns are counted so', () => {
  const text = table(
    [{ title: 'id' }, { title: 'n' }],
    [
      ['中文', '1'],
      ['abcd', '2'],
    ],
  );
  expect(text).toBe('id    n\n中文  1\nabcd  2\n');
});

test('cells are escaped and cut, and a line end cannot make a row', () => {
  const text = table(
    [{ title: 'id' }, { title: 'n' }],
    [
      ['a\nb\x1b[2J', '1'],
      ['x'.repeat(70), '2'],
    ],
  );
  expect(text).toBe(`id${' '.repeat(60)}n\na\\x0ab\\x1b[2J${' '.repeat(49)}1\n${'x'.repeat(59)}…  2\n`);
});

test('no colour, wherever it is printed', () => {
  expect(table([{ title: 'id' }], [['a']])).toBe('id\na\n');
});
