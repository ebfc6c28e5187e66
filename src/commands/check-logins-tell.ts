import { ecsOf } from '../check/logins/ecs.js';
import { moment } from '../check/logins/tamper.js';
import type { Review, Told } from '../check/logins/whole.js';
import { escapeText } from '../io/escape.js';
import { grouped } from '../io/figures.js';
import type { Visit } from '../logins/visit.js';
import { type Context, type GlobalOptions, say } from './context.js';

/** Sentences have lines of logs in them. */
const LONGEST = 600;

/** What is wrong, the worst first, each with how sure it is and what to do; then the same in the order of time; then what was looked at. */
export function printLoginsText(
  findings: readonly Told[],
  review: Review,
  options: GlobalOptions,
  context: Context,
): void {
  const told = findings.filter(({ code }) => code !== 'SRC-INCOMPLETE');
  const parts = [paragraphs(told), timeline(told)].filter((part) => part !== '');
  context.stdout.write(parts.join('\n'));
  say(context, options, `${parts.length > 0 ? '\n' : ''}${coverage(review)}`);
}

/** What is wrong, a paragraph each. */
export function paragraphs(findings: readonly Told[]): string {
  return findings.map(paragraph).join('\n');
}

function paragraph(finding: Told): string {
  const { severity, code, what, suggest, note, fingerprint } = finding;
  const rows = [
    `${severity.toUpperCase()} ${code}  ${escapeText(what, LONGEST)}`,
    ...whenLine(finding),
    ...sureLine(finding.visit),
    `  do: ${suggest}${note === undefined ? '' : `\n      (${escapeText(note, LONGEST)})`}`,
    `  ${fingerprint}`,
  ];
  return `${rows.join('\n')}\n`;
}

function whenLine({ first, last, times, visit }: Told): string[] {
  // What is wrong with a record says when in its own words.
  if (first === undefined || last === undefined || (visit === undefined && times === 1)) return [];
  const often = times > 1 ? `, ${grouped(times)} times, the last at ${moment(last)}` : '';
  return [`  at ${moment(first)}${often}${visit === undefined ? '' : visitEnd(visit)}`];
}

function visitEnd({ end, endedBy, method, key, tty }: Visit): string {
  const how = [method, key, tty === undefined ? undefined : `on ${tty}`].filter((each) => each !== undefined).join(' ');
  const until = end === undefined ? 'no end was written down' : `${END_WORDS[endedBy ?? 'logout']} at ${moment(end)}`;
  return `${how === '' ? '' : `; by ${escapeText(how, 200)}`}; ${until}`;
}

const END_WORDS: Readonly<Record<NonNullable<Visit['endedBy']>, string>> = {
  logout: 'it ended',
  shutdown: 'it ended with a shutdown',
  crash: 'it was cut off by a start of the host',
};

/** How much there is behind it. */
function sureLine(visit: Visit | undefined): string[] {
  if (visit === undefined) return [];
  const kinds = visit.places.map(({ kind }) => kind);
  const where = `${escapeText(visit.places[0]?.file ?? '', 200)}${kinds.length > 1 ? ` and ${kinds.slice(1).join(', ')}` : ''}`;
  if (visit.writer === 'anyone')
    return [`  how sure: only a log has it, which any user of this host can write into (${where})`];
  return [
    `  how sure: ${kinds.length > 1 ? 'several records agree' : 'one record, which only root writes'} (${where})`,
  ];
}

/** Only where there is an order to see. */
function timeline(findings: readonly Told[]): string {
  const dated = findings.flatMap((each) => (each.first === undefined ? [] : [{ ...each, first: each.first }]));
  if (dated.length < 2) return '';
  const rows = dated
    .sort((a, b) => a.first - b.first)
    .map(({ first, code, what }) => `  ${moment(first)}  ${code}  ${escapeText(what, 160)}\n`);
  return `what happened, in order:\n${rows.join('')}`;
}

function coverage({ gathered, findings, accepted, unread, unknown }: Review): string {
  const { visits, book, read } = gathered;
  const spans = [...book.spans.values()];
  const users = new Set(visits.map(({ user }) => user)).size;
  const from = spans.length === 0 ? undefined : Math.min(...spans.map(({ first }) => first));
  const to = spans.length === 0 ? undefined : Math.max(...spans.map(({ last }) => last));
  const logins = visits.reduce((sum, { times }) => sum + times, 0);
  const rows = [
    `looked at: ${read.length === 0 ? 'nothing' : read.map((name) => escapeText(name, 200)).join(', ')}`,
    from === undefined
      ? 'no login in any of them'
      : `${grouped(logins)} logins of ${grouped(users)} users, ${moment(from)} to ${moment(to)}`,
    unknown > 0 ? `${grouped(unknown)} of them from addresses of no known country` : '',
    accepted > 0 ? `${grouped(accepted)} findings are accepted and not shown` : '',
    ...unread.map(
      ({ name, why, hint }) =>
        `NOT looked at: ${escapeText(name, 200)}: ${escapeText(why, 300)}${hint === undefined ? '' : ` (${escapeText(hint, 200)})`}`,
    ),
    findings.length === 0 && unread.length > 0 ? 'so nobody can say that all is well' : '',
  ];
  return rows.filter((row) => row !== '').join('\n');
}

/** A line of what was looked at, then a line for each finding, with the field names of ECS. */
export function printLoginsJson(findings: readonly Told[], review: Review, context: Context): void {
  const { gathered, accepted, unread, unknown } = review;
  const { visits, book, read } = gathered;
  const head = {
    schema: 'blocklist/check-logins',
    version: 1,
    complete: unread.length === 0,
    read,
    unread,
    logins: visits.reduce((sum, { times }) => sum + times, 0),
    unknownCountry: unknown,
    accepted,
    spans: Object.fromEntries(
      [...book.spans].map(([kind, { events, first, last }]) => [
        kind,
        { events, from: new Date(first).toISOString(), to: new Date(last).toISOString() },
      ]),
    ),
    findings: findings.length,
  };
  const lines = [head, ...findings.map((finding) => ecsOf(finding, context.now()))];
  context.stdout.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
