import type { FormatOptions } from '../../../config/formats.js';
import { EntryCollector, IpSetBuilder, refuseUtf16 } from '../../../ip/index.js';
import type { ListBody, ListFormat } from './contract.js';

/** A line beyond this many characters is rejected unread. */
const LONGEST_LINE = 1 << 16;

/** Takes one line, without its end. */
type TakeLine = (line: string) => void;

/** Takes the lines of one body, and is told when there are no more. */
export interface LineTaker {
  readonly line: TakeLine;
  readonly end?: () => void;
}

/**
 * A format whose unit is the line. `open` is called for each body and returns what takes its lines; it puts entries and rejects into `entries`.
 * Blank lines are not handed on.
 */
export function lineFormat(
  name: string,
  description: string,
  open: (options: FormatOptions, entries: EntryCollector) => TakeLine | LineTaker,
): ListFormat {
  return {
    name,
    description,
    read: async (chunks, options) => {
      const { entries, finish } = newBody();
      const taker = open(options, entries);
      await eachLine(chunks, entries, typeof taker === 'function' ? taker : taker.line);
      if (typeof taker !== 'function') taker.end?.();
      return finish();
    },
  };
}

/** A collector, and what makes a body of what it collected. */
export function newBody(): { readonly entries: EntryCollector; readonly finish: () => ListBody } {
  const builder = new IpSetBuilder();
  const entries = new EntryCollector(builder);
  return { entries, finish: () => ({ set: builder.build(), nodes: builder.buildNodes(), report: entries.report() }) };
}

/** The whole body as text: for formats that cannot be read in pieces. Its size is capped where it is opened. */
export async function wholeText(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(new Uint8Array(chunk));
  const bytes = Buffer.concat(parts);
  refuseUtf16(bytes);
  return new TextDecoder().decode(bytes);
}

async function eachLine(chunks: AsyncIterable<Uint8Array>, entries: EntryCollector, take: TakeLine): Promise<void> {
  // Skips a byte order mark, and puts characters together that two chunks share.
  const decoder = new TextDecoder();
  let head: Uint8Array = new Uint8Array(0);
  let rest = '';
  let isSkipping = false;
  let isAfterCr = false;
  const takeAll = (text: string, isLast: boolean) => {
    // CR ends a line at once; the LF of CRLF may come with the next chunk.
    const own = isAfterCr && text.startsWith('\n') ? text.slice(1) : text;
    if (text !== '') isAfterCr = text.endsWith('\r');
    const lines = (rest + own).split(/\r\n|\n|\r/);
    rest = isLast ? '' : (lines.pop() ?? '');
    for (const line of lines) {
      if (isSkipping) {
        isSkipping = false;
        continue;
      }
      entries.line++;
      if (line.length > LONGEST_LINE) entries.reject('line too long', line);
      else if (line.trim() !== '') take(line);
    }
    if (rest.length <= LONGEST_LINE) return;
    // Kept no longer: the rest of this line is skipped as it comes.
    if (!isSkipping) {
      entries.line++;
      entries.reject('line too long', rest);
    }
    isSkipping = true;
    rest = '';
  };
  for await (const chunk of chunks) {
    if (head.length < 2) {
      head = Uint8Array.of(...head, ...chunk.subarray(0, 2));
      if (head.length >= 2) refuseUtf16(head);
    }
    takeAll(decoder.decode(chunk, { stream: true }), false);
  }
  takeAll(decoder.decode(), true);
}

/** `192.0.2.1:443`, `[2001:db8::1]:443` and `[2001:db8::1]` without port and brackets; anything else as it is. */
export function withoutPort(text: string): string {
  const match = /^(?:(\d+\.\d+\.\d+\.\d+)|\[([0-9a-fA-F:.]+)\])(?::\d{1,5})?$/.exec(text);
  return match?.[1] ?? match?.[2] ?? text;
}

/** A filter from the option `where`. Given the value of a column or field by its name, says whether the entry is wanted. */
export function filterOf(where: FormatOptions['where']): (read: (name: string) => unknown) => boolean {
  const wanted = Object.entries(where ?? {}).map(([name, values]) => [name, [values].flat()] as const);
  return (read) =>
    wanted.every(([name, values]) => {
      const value = read(name);
      return ['string', 'number', 'boolean'].includes(typeof value) && values.includes(String(value));
    });
}

/** Whether a line is a comment: `#`, `;` or `//` at its begin. */
export function isCommentLine(line: string): boolean {
  return /^\s*(#|;|\/\/)/.test(line);
}
