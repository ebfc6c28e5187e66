import { BlocklistError } from '../errors.js';
import type { ListReport } from '../ip/index.js';

/** Limits on one source. */
export interface SourceLimits {
  /** shortest IPv4 prefix length accepted */
  readonly maxPrefixV4: number;
  readonly maxPrefixV6: number;
  /** 0…1: larger shares of unreadable lines refuse the source */
  readonly maxRejects: number;
}

const SNIFFED = 512;

/**
 * Passes the chunks on, unless they begin like a web page: an error or challenge page sent with status 200, which
 * may hold the reader's own address (facts of real feeds: terms pages, "Just a moment...").
 * @throws BlocklistError `source-html`
 */
export async function* refuseHtml(
  chunks: AsyncIterable<Uint8Array>,
  where: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let head = '';
  for await (const chunk of chunks) {
    if (head.length < SNIFFED) {
      head += Buffer.from(chunk.subarray(0, SNIFFED - head.length)).toString('latin1');
      if (/<!doctype|<html|<head[\s>]/i.test(head)) {
        throw new BlocklistError('source-html', 'a web page came in place of a list', {
          where,
          hint: 'open the address in a browser: it may want a login, or have moved',
        });
      }
    }
    yield chunk;
  }
}

/**
 * Judges what was read.
 * @throws BlocklistError `source-empty`, `source-rejects`, `source-too-wide`, each with its figures.
 */
export function judge(report: ListReport, limits: SourceLimits, where: string): void {
  const { entries, rejected, belowScore, widest } = report;
  if (entries === 0) {
    const found =
      rejected > 0 ? `${rejected} lines, none of them readable` : belowScore > 0 ? 'no entry of that score' : 'nothing';
    throw new BlocklistError('source-empty', `no entry: the list holds ${found}`, {
      where,
      hint: 'check the address and the format of this source',
    });
  }
  const share = rejected / (entries + belowScore + rejected);
  if (share > limits.maxRejects) {
    const [first] = report.samples;
    const example = first === undefined ? '' : `, the first in line ${first.line}: ${first.reason}`;
    throw new BlocklistError('source-rejects', `${rejected} of ${entries + rejected} lines are unreadable${example}`, {
      where,
      hint: 'check the format of this source, or raise guards.max-rejects',
    });
  }
  const v4 = 32 - widest.v4;
  const v6 = 128 - widest.v6;
  if (v4 < limits.maxPrefixV4 || v6 < limits.maxPrefixV6) {
    const [wide, limit, key] =
      v4 < limits.maxPrefixV4 ? [v4, limits.maxPrefixV4, 'v4'] : [v6, limits.maxPrefixV6, 'v6'];
    throw new BlocklistError('source-too-wide', `it holds a /${wide}, wider than the /${limit} allowed`, {
      where,
      hint: `a list that blocks so much at once is nearly always broken; if it is meant, lower guards.max-prefix-${key}`,
    });
  }
}
