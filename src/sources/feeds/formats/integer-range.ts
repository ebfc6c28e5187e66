import { isCommentLine, lineFormat } from './text.js';

const LARGEST = 2 ** 32 - 1;

/** As IP2Proxy publishes: first and last address as decimal numbers, quoted or not, further columns behind them. IPv4. */
export const integerRange = lineFormat(
  'integer-range',
  'first and last IPv4 address as decimal numbers between commas',
  (_, entries) => (line) => {
    if (isCommentLine(line)) return;
    const match = /^\s*"?(\d{1,10})"?\s*,\s*"?(\d{1,10})"?\s*(,|$)/.exec(line);
    if (match === null) return entries.reject('missing field', line);
    const [first, last] = [Number(match[1]), Number(match[2])];
    if (first > LARGEST || last > LARGEST) return entries.reject('not an address', line);
    entries.takeRange(first, last, line);
  },
);
