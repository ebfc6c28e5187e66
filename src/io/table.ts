import Table from 'cli-table3';
import { escapeText } from './escape.js';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

const NO_BORDER = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Rows in aligned columns without borders, one line a row, ending with a newline. Cells are escaped. */
export function table(columns: readonly Column[], rows: ReadonlyArray<readonly string[]>): string {
  const out = new Table({
    head: columns.map((column) => column.title),
    colAligns: columns.map((column) => column.align ?? 'left'),
    chars: NO_BORDER,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  });
  for (const row of rows) out.push(row.map((cell) => escapeText(cell, 60)));
  const lines = out.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}
