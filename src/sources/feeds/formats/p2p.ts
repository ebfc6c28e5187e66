import { lineFormat } from './text.js';

/** As iBlocklist publishes: `name:first-last`, IPv4. The name may hold colons. */
export const p2p = lineFormat('p2p', 'name:first-last a line, split at the last colon', (_, entries) => (line) => {
  if (line.startsWith('#')) return;
  // Only a range: `Your address: 192.0.2.1` in an error page is none.
  const colon = line.lastIndexOf(':');
  const range = /^\s*([\d.]+\s*-\s*[\d.]+)\s*$/.exec(line.slice(colon + 1))?.[1];
  if (colon < 0) entries.reject('missing field', line);
  else if (range === undefined) entries.reject('not an address', line);
  else entries.takeText(range, line);
});
