import { isLoud } from '../check/finding.js';
import { ecsOf } from '../check/logins/ecs.js';
import { visitWords } from '../check/logins/review.js';
import { moment } from '../check/logins/tamper.js';
import type { Review, Told } from '../check/logins/whole.js';
import { escapeText } from '../io/escape.js';
import { grouped, isoText } from '../io/figures.js';
import type { Visit } from '../logins/visit.js';
import { type Context, type GlobalOptions, say, shortPath } from './context.js';

/** Sentences have lines of logs in them. */
const LONGEST = 600;

/** All that is held against one login, or one thing that is wrong with the records: the worst first. */
interface Matter {
  readonly findings: readonly [Told, ...Told[]];
  readonly visit: Visit | undefined;
}

/** What happened, in order; then each matter, the worst first, with how sure it is and what to do; then what was looked at. */
export function printLoginsText(
  findings: readonly Told[],
  review: Review,
  options: GlobalOptions,
  context: Context,
): void {
  const matters = mattersOf(findings.filter(({ code }) => code !== 'SRC-INCOMPLETE'));
  const parts = [timeline(matters), ...matters.map((matter) => paragraph(matter, context))];
  context.stdout.write(parts.filter((part) => part !== '').join('\n'));
  say(context, options, `${matters.length > 0 ? '\n' : ''}${coverage(review, context)}`);
}

/** The same for a message: without what was looked at. */
export function loginsNote(findings: readonly Told[], context: Context): string {
  return mattersOf(findings)
    .map((matter) => paragraph(matter, context))
    .join('\n');
}

function mattersOf(findings: readonly Told[]): Matter[] {
  const matters = new Map<Visit | Told, [Told, ...Told[]]>();
  for (const finding of findings) {
    const key = finding.visit ?? finding;
    const known = matters.get(key);
    if (known === undefined) matters.set(key, [finding]);
    else known.push(finding);
  }
  return [...matters.values()].map((all) => ({ findings: all, visit: all[0].visit }));
}

function timeline(matters: readonly Matter[]): string {
  const dated = matters.flatMap(({ findings: [worst, ...others] }) =>
    worst.first === undefined ? [] : [{ time: worst.first, worst, others }],
  );
  if (dated.length < 2) return '';
  const rows = dated
    .sort((a, b) => a.time - b.time)
    .map(({ time, worst, others }) => {
      const more = others.filter(isLoud);
      const words = [worst.what, ...more.map((each) => each.words)].join('; ');
      return `  ${moment(time)}  ${escapeText(words, 200)}\n`;
    });
  return `what happened, in order:\n${rows.join('')}`;
}

function paragraph({ findings, visit }: Matter, context: Context): string {
  const [worst] = findings;
  const title = visit === undefined ? worst.what : visitWords(visit, worst.address ?? findings.at(-1)?.address);
  const rows = [
    `${worst.severity.toUpperCase()}  ${escapeText(title, LONGEST)}`,
    ...(visit === undefined ? [] : [`  when: ${whenWords(worst, visit)}`]),
    ...findings.map(({ fingerprint, code, words }) =>
      visit === undefined ? `  ${fingerprint}  ${code}` : `  ${fingerprint}  ${code}: ${escapeText(words, LONGEST)}`,
    ),
    ...(visit === undefined ? [] : [`  how sure: ${sureWords(visit, context)}`]),
    ...commands(findings).map(
      ({ suggest, note }) => `  do: ${suggest}${note === undefined ? '' : `    (${escapeText(note, LONGEST)})`}`,
    ),
  ];
  return `${rows.join('\n')}\n`;
}

/** Of what is held against a login, what to do about the worst; and what else there is to do where it matters. */
function commands(findings: Matter['findings']): Told[] {
  const [worst] = findings;
  const wanted = findings.filter(isLoud(worst) ? isLoud : ({ severity }) => severity === worst.severity);
  // To take it as it is stands for all of them: it makes sense where nothing else is to be done.
  const real = wanted.filter(({ suggest }) => !/ accept [0-9a-f]{12} /.test(suggest));
  const chosen = real.length > 0 ? real : wanted.slice(0, 1);
  return chosen.filter(({ suggest }, i) => chosen.findIndex((each) => each.suggest === suggest) === i);
}

function whenWords({ first, last, times }: Told, { time, end, endedBy, method, key, tty }: Visit): string {
  const often = times > 1 ? `, ${grouped(times)} times, the last at ${moment(last)}` : '';
  const how = [method, key, tty === undefined ? undefined : `on ${tty}`].filter((each) => each !== undefined).join(' ');
  const until = end === undefined ? 'no end was written down' : `${END_WORDS[endedBy ?? 'logout']} at ${moment(end)}`;
  return `${moment(first ?? time)}${often}${how === '' ? '' : `, by ${escapeText(how, 200)}`}; ${until}`;
}

const END_WORDS: Readonly<Record<NonNullable<Visit['endedBy']>, string>> = {
  logout: 'it ended',
  shutdown: 'it ended with a shutdown',
  crash: 'it was cut off by a start of the host',
};

/** How much there is behind it. */
function sureWords({ places, writer }: Visit, context: Context): string {
  const kinds = [...new Set(places.map(({ file }) => escapeText(shortPath(context, file), 200)))].join(' and ');
  if (writer === 'anyone') return `likely; only ${kinds} has it, where any user of this host can write`;
  return places.length > 1 ? `certain; ${kinds} agree` : `certain; ${kinds} has it, where only root writes`;
}

function coverage({ gathered, findings, accepted, unread, unknown }: Review, context: Context): string {
  const { visits, book, read } = gathered;
  const spans = [...book.spans.values()];
  const users = new Set(visits.map(({ user }) => user)).size;
  const from = spans.length === 0 ? undefined : Math.min(...spans.map(({ first }) => first));
  const to = spans.length === 0 ? undefined : Math.max(...spans.map(({ last }) => last));
  const logins = visits.reduce((sum, { times }) => sum + times, 0);
  const shown = (name: string) => escapeText(name.startsWith('/') ? shortPath(context, name) : name, 200);
  const rows = [
    `looked at: ${read.length === 0 ? 'nothing' : read.map(shown).join(', ')}`,
    from === undefined
      ? 'no login in any of them'
      : `${grouped(logins)} logins of ${grouped(users)} users, ${moment(from)} to ${moment(to)}`,
    unknown > 0 ? `${grouped(unknown)} of them from addresses of no known country` : '',
    accepted > 0 ? `accepted and not shown: ${grouped(accepted)}` : '',
    ...unread.map(({ name, why, hint }) => {
      const advice = hint === undefined ? '' : ` (${escapeText(hint, 200)})`;
      return `NOT looked at: ${shown(name)}: ${escapeText(why, 300)}${advice}`;
    }),
    findings.every(({ code }) => code === 'SRC-INCOMPLETE') && unread.length > 0
      ? 'so nobody can say that all is well'
      : '',
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
        { events, from: isoText(first), to: isoText(last) },
      ]),
    ),
    findings: findings.length,
  };
  const lines = [head, ...findings.map((finding) => ecsOf(finding, context.now()))];
  context.stdout.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
