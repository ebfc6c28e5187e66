import { ExitStatus } from '../errors.js';
import { escapeText } from '../io/escape.js';
import type { Finding } from './contract.js';

/** A finding a line, and what to do on the line below it. Names of files and interfaces may hold anything: they are escaped. */
export function findingLines(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ id }) => id.length));
  return findings
    .map((finding) => {
      const { state, id, what, where } = finding;
      const isNamed = where === undefined || what.includes(where);
      const head = `${state.padEnd(7)}  ${id.padEnd(width)}  ${escapeText(isNamed ? what : `${what} [${where}]`, 400)}`;
      const fix = 'fix' in finding ? `\n${' '.repeat(9 + width + 2)}do: ${escapeText(finding.fix, 400)}` : '';
      return `${head}${fix}\n`;
    })
    .join('');
}

export function tally(findings: readonly Finding[]) {
  const count = (state: Finding['state']) => findings.filter((each) => each.state === state).length;
  return { problems: count('problem'), notes: count('note'), unknown: count('unknown') };
}

/** A problem says more than something that could not be seen. */
export function statusOf(findings: readonly Finding[]): ExitStatus {
  const { problems, unknown } = tally(findings);
  return problems > 0 ? ExitStatus.differs : unknown > 0 ? ExitStatus.incomplete : ExitStatus.done;
}
