import { isCommentLine, lineFormat } from './text.js';

/** As iBlocklist publishes: `name:first-last`, IPv4. The name may hold colons. */
export const p2p = lineFormat('p2p', 'name:first-last a line, split at the last colon', (_, entries) => (line) => {
  if (isCommentLine(line)) return;
  const colon = line.lastIndexOf(':');
  if (colon < 0) entries.reject('missing field', line);
  else entries.takeText(line.slice(colon + 1).trim(), line);
});
