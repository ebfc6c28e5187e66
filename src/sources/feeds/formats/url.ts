import { isCommentLine, lineFormat } from './text.js';

/** Lists of URLs, as URLhaus publishes: those whose host is an address. Names are left out and counted, never resolved. */
export const url = lineFormat(
  'url',
  'a URL a line: hosts that are addresses are taken, names are left out',
  (_, entries) => (line) => {
    if (isCommentLine(line)) return;
    const host = /^\s*[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@\s]*@)?(?:\[([^\]\s]*)\]|([^:/?#\s]+))/i.exec(line);
    const address = host?.[1] ?? host?.[2];
    if (address === undefined) entries.reject('missing field', line);
    else if (host?.[1] === undefined && !/^[\d.]+$/.test(address)) entries.leaveOut();
    else if (/\S\s+\S/.test(line)) entries.reject('text after the address', line);
    else if (/[^0-9a-fA-F:.]/.test(address)) entries.reject('not an address', line);
    else entries.takeText(address, line);
  },
);
