import { escapeText } from '../io/escape.js';
import { addressCount, grouped, percent } from '../io/figures.js';
import { decompose, formatPrefix, type IpSet, specialPurpose } from '../ip/index.js';
import type { ListSpec } from '../sources/list-source.js';
import type { Trial } from '../sources/trial.js';

const SHOWN = 5;

/** What `feeds test` found, in words. */
export function trialText({ id, format, direction }: ListSpec, { where, bytes, content, problem }: Trial): string {
  const rows: [string, string][] = [
    ['list', `${id}, ${escapeText(where)}, ${grouped(bytes)} bytes`],
    ['read as', `${format}, ${direction}`],
  ];
  if (content !== undefined) {
    const { report, set, trailing } = content;
    const { v4, v6 } = set.count();
    const all = report.entries + report.leftOut + report.rejected;
    const share = all === 0 ? 0 : report.rejected / all;
    const reasons = Object.entries(report.reasons).map(([reason, count]) => `${reason} ${count}`);
    rows.push(
      ['accepted', `${grouped(report.entries)} entries`],
      ['', `${addressCount(BigInt(v4))} IPv4 addresses in ${grouped(decompose(set.v4).size)} blocks`],
      ['', `${addressCount(v6)} IPv6 addresses in ${grouped(decompose(set.v6).size)} blocks`],
      ['for example', examples(set).join(', ') || 'none'],
      [
        'rejected',
        `${grouped(report.rejected)} (${percent(share)})${reasons.length > 0 ? `: ${reasons.join(', ')}` : ''}`,
      ],
      ...report.samples.map(({ line, text, reason }): [string, string] => [
        '',
        `line ${line}: ${reason}: ${escapeText(text, 80)}`,
      ]),
      ['filtered out', grouped(report.leftOut)],
      ['mended', `${grouped(report.hostBits)} with host bits set, which are cleared`],
      ['never blocked', `${addressCount(specialIn(set))} addresses of it are private or special`],
    );
    if (trailing > 0) rows.push(['suspect', `${grouped(trailing)} bytes of something else behind the packed list`]);
  }
  rows.push(['guards', problem === undefined ? 'none trips' : `${problem.code}: ${escapeText(problem.message, 300)}`]);
  if (problem?.hint !== undefined) rows.push(['do', escapeText(problem.hint, 300)]);
  return rows.map(([name, text]) => `${name.padEnd(14)}${text}\n`).join('');
}

/** The same as data. */
export function trialJson({ id, format, direction }: ListSpec, trials: readonly Trial[]): object {
  return {
    schema: 'blocklist/feed-test',
    version: 1,
    id,
    format,
    direction,
    lists: trials.map(({ where, bytes, content, problem }) => ({
      where,
      bytes,
      ...(content === undefined ? {} : contentJson(content)),
      guard: problem === undefined ? null : { code: problem.code, message: problem.message },
    })),
  };
}

function contentJson({ report, set, trailing }: NonNullable<Trial['content']>): object {
  const { v4, v6 } = set.count();
  const { entries, rejected, reasons, samples, hostBits, leftOut } = report;
  return {
    entries,
    addresses: { v4: String(v4), v6: String(v6) },
    examples: examples(set),
    rejected,
    reasons,
    samples,
    leftOut,
    hostBits,
    special: String(specialIn(set)),
    trailing,
  };
}

function specialIn(set: IpSet): bigint {
  const { v4, v6 } = set.intersect(specialPurpose()).count();
  return BigInt(v4) + v6;
}

function examples(set: IpSet): string[] {
  const found: string[] = [];
  for (const prefix of set.prefixes()) {
    found.push(formatPrefix(prefix));
    if (found.length === SHOWN) break;
  }
  return found;
}
