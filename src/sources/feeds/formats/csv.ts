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
    let guessed: string | undefined;
    let hasRows = false;
    const take = (line: string) => {
      if (between === ';' ? /^\s*(#|\/\/)/.test(line) : isCommentLine(line)) return;
      const cells = cellsOf(line, between);
      if (cells === undefined) return entries.reject('columns disagree', line);
      if (header === undefined) {
        const first = cells[Number(column) - 1] ?? '';
        const isHeader = names.length > 0 || !ENTRY_LIKE.test(first);
        if (names.length === 0 && isHeader) guessed = line;
        header = isHeader ? cells : [];
        const lacking = names.find((name) => !cells.includes(String(name)));
        if (lacking !== undefined) throw noColumn(String(lacking), cells, entries.line);
        if (isHeader) return;
      }
      hasRows = true;
      const head = header;
      const cellOf = (name: string) => cells[/^\d+$/.test(name) ? Number(name) - 1 : head.indexOf(name)];
      const cell = cellOf(String(column));
      if (cell === undefined || cell === '') entries.reject('missing field', line);
      else if (isWanted(cellOf)) entries.takeText(withoutPort(cell), line);
      else entries.leaveOut();
    };
    // What looked like a header was all there is: an error text.
    const end = () => {
      if (guessed !== undefined && !hasRows) entries.reject('not an address', guessed);
    };
    return { line: take, end };
  },
);

function noColumn(name: string, cells: readonly string[], line: number): BlocklistError {
  return new BlocklistError('source-format', `line ${line}, the header, has no column '${name.slice(0, 40)}'`, {
    hint: `it has: ${cells.slice(0, 20).join(', ').slice(0, 200)}`,
  });
}

/** The values of a line, without quotes and the blanks around them; undefined when something stands behind a closing quote. */
function cellsOf(line: string, separator: string): string[] | undefined {
  // An odd quote belongs to a value.
  if (line.split('"').length % 2 === 0 || !line.includes('"')) return line.split(separator).map((cell) => cell.trim());
  const cells: string[] = [];
  for (let p = 0; p <= line.length; ) {
    while ((line[p] === ' ' || line[p] === '\t') && line[p] !== separator) p++;
    let quoted: string | undefined;
    if (line[p] === '"') {
      quoted = '';
      for (p++; p < line.length; p++) {
        if (line[p] !== '"') quoted += line[p];
        else if (line[p + 1] === '"') quoted += line[p++];
        else break;
      }
      p++;
    }
    const end = line.indexOf(separator, p);
    const bare = line.slice(p, end < 0 ? line.length : end).trim();
    if (quoted !== undefined && bare !== '') return undefined;
    cells.push(quoted?.trim() ?? bare);
    if (end < 0) break;
    p = end + separator.length;
  }
  return cells;
}
