import { readList } from '../../../ip/index.js';
import { isCommentLine, lineFormat } from './text.js';

/**
 * DShield's block.txt: tabs, start, end, and a third column that is called Netmask and holds a prefix length (older copies: a mask).
 * The column header is not commented. The end is checked against the other two.
 */
export const dshield = lineFormat(
  'dshield',
  'start, end and prefix length between tabs, as DShield publishes block.txt',
  (_, entries) => (line) => {
    if (isCommentLine(line) || /^start\t/i.test(line)) return;
    const [start = '', end = '', length = ''] = line.split('\t').map((cell) => cell.trim());
    if (start === '' || end === '' || length === '') return entries.reject('missing field', line);
    const net = `${start}/${length}`;
    const { set, report } = readList(net);
    if (report.entries === 1 && !set.equals(readList(`${start}-${end}`).set)) {
      return entries.reject('columns disagree', line);
    }
    entries.takeText(net, line);
  },
);
