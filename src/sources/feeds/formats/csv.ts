import { BlocklistError } from '../../../errors.js';
import { filterOf, isCommentLine, lineFormat, withoutPort } from './text.js';

const ENTRY_LIKE = /^\[?[0-9a-fA-F]*[.:]/;

/**
 * Columns (RFC 4180 quotes, blanks around a value ignored). A column is a number, or a name of the header line: the first line that is no
 * comment. A port behind the address is cut off.
 */
export const csv = lineFormat(
  'csv',
  'columns between , ; | or tabs; column: its number or header name; where: keeps rows by value',
  ({ column = 1, separator = ',', where }, entries) => {
    const between = separator === 'tab' ? '\t' : separator;
    const isWanted = filterOf(where);
    const names = [column, ...Object.keys(where ?? {})].filter((name) => !/^\d+$/.test(String(name)));
    let header: string[] | undefined;
    return (line) => {
      if (between === ';' ? /^\s*(#|\/\/)/.test(line) : isCommentLine(line)) return;
      const cells = cellsOf(line, between);
      if (header === undefined) {
        const first = cells[Number(column) - 1] ?? '';
        const isHeader = names.length > 0 || !ENTRY_LIKE.test(first);
        header = isHeader ? cells : [];
        const lacking = names.find((name) => !cells.includes(String(name)));
        if (lacking !== undefined) throw noColumn(String(lacking), cells, entries.line);
        if (isHeader) return;
      }
      const head = header;
      const cellOf = (name: string) => cells[/^\d+$/.test(name) ? Number(name) - 1 : head.indexOf(name)];
      const cell = cellOf(String(column));
      if (cell === undefined || cell === '') entries.reject('missing field', line);
      else if (isWanted(cellOf)) entries.takeText(withoutPort(cell), line);
      else entries.leaveOut();
    };
  },
);

function noColumn(name: string, cells: readonly string[], line: number): BlocklistError {
  return new BlocklistError('source-format', `line ${line}, the header, has no column '${name.slice(0, 40)}'`, {
    hint: `it has: ${cells.slice(0, 20).join(', ').slice(0, 200)}`,
  });
}

/** The values of a line, without quotes and the blanks around them. */
function cellsOf(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator).map((cell) => cell.trim());
  const cells: string[] = [];
  for (let p = 0; p <= line.length; ) {
    while (line[p] === ' ') p++;
    let cell = '';
    if (line[p] === '"') {
      for (p++; p < line.length; p++) {
        if (line[p] !== '"') cell += line[p];
        else if (line[p + 1] === '"') cell += line[p++];
        else break;
      }
      p++;
    }
    const end = line.indexOf(separator, p);
    cells.push((cell + line.slice(p, end < 0 ? line.length : end)).trim());
    if (end < 0) break;
    p = end + separator.length;
  }
  return cells;
}
