import { lineFormat, withoutPort } from './text.js';

/** As Tor publishes exit-addresses: the word, the address, anything. Other lines are other facts, and no rejects. */
export const keyword = lineFormat(
  'keyword',
  'lines that begin with keyword and an address, like ExitAddress 192.0.2.1; others are passed over',
  ({ keyword: word = '' }, entries) =>
    (line) => {
      const [first, value] = line.trim().split(/\s+/, 2);
      if (first !== word) return;
      if (value === undefined) entries.reject('missing field', line);
      else entries.takeText(withoutPort(value), line);
    },
);
