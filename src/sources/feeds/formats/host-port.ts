import { isCommentLine, lineFormat, withoutPort } from './text.js';

/** `192.0.2.1:443` and `[2001:db8::1]:443`; the port says nothing here, since all traffic of a listed host is dropped. */
export const hostPort = lineFormat(
  'host-port',
  'address:port or [IPv6]:port a line, the port is cut off; comments behind a blank and #',
  (_, entries) => (line) => {
    if (isCommentLine(line)) return;
    const comment = line.search(/\s#/);
    entries.takeText(withoutPort((comment < 0 ? line : line.slice(0, comment)).trim()), line);
  },
);
