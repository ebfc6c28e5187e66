import { escapeText } from '../io/escape.js';
import { addressCount, age, dateText, grouped, minuteText } from '../io/figures.js';
import { formatPrefix, type Prefix, setOfBlock } from '../ip/index.js';
import { HIT_DAYS } from './host-hits.js';
import { type Answer, countIn, type RulesState, type Spared } from './why.js';
import { keptOutLines, policyLine } from './why-policy.js';

/** What an answer is told with. */
export interface WhyVoice {
  /** all: every source could be looked into */
  readonly asked: 'all' | 'some';
  readonly rules: RulesState;
  readonly now: number;
  /** a command of ours, ready to be pasted */
  readonly command: (line: string) => string;
  /** a path as the person would type it */
  readonly path: (path: string) => string;
}

const DAY_MS = 86_400_000;
/** More of one kind are counted. */
const MOST = 5;

/** A paragraph for each. */
export function* whyParagraphs(answers: Iterable<Answer>, voice: WhyVoice): Generator<string, void, undefined> {
  let before = '';
  for (const answer of answers) {
    yield `${before}${paragraph(answer, voice)}\n`;
    before = '\n';
  }
}

/** A line for each: address, verdict, who lists it, where it is. */
export function* whyLines(answers: Iterable<Answer>): Generator<string, void, undefined> {
  for (const answer of answers) yield `${lineOf(answer)}\n`;
}

/** What becomes of it, then why, then what frees it. */
function paragraph(answer: Answer, voice: WhyVoice): string {
  const { block, explained } = answer;
  const lines = [
    ...ruleLines(answer, voice.rules),
    ...policyLine(answer, voice.rules),
    ...keptOutLines(answer),
    ...decisionLines(answer),
    ...explained.listings.map((listing) => listingLine(answer, listing, voice)),
    ...explained.listings.flatMap(({ details }) => details.map((detail) => `  ${escapeText(detail)}`)),
    ...few(
      explained.dense,
      ({ source, prefix, nodes }) =>
        `net ${formatPrefix(prefix)} is listed because ${nodes} of its addresses are, ${source === 'all' ? 'all sources together' : `in ${source}`}`,
    ),
    ...explained.left.map(
      ({ id, days }) => `left ${id}: last listed on ${dayText(days.last)}, since ${dayText(days.first)}`,
    ),
    ...few(answer.spared, (spared) => sparedLine(answer, spared, voice)),
    ...hitLine(answer),
    ...placeLine(answer),
    ...differenceLines(answer, voice),
    ...wayOut(answer, voice),
  ];
  return [`${formatPrefix(block)}: ${headline(answer, voice)}`, ...lines.map((line) => `  ${line}`)].join('\n');
}

function lineOf(answer: Answer): string {
  const { block } = answer;
  // A net may be in many countries.
  const { country, network } = isSingle(block) ? answer : {};
  const by = answer.explained.listings.map(({ source }) => source.id).join(',');
  const name = network === undefined ? '' : `AS${network.asn} ${escapeText(network.name, 60)}`;
  return [formatPrefix(block), answer.verdict, by || '-', country ?? '-', name].join('  ').trimEnd();
}

function headline(answer: Answer, { asked, rules }: WhyVoice): string {
  const when = whenWords(answer, rules);
  const { verdict, decidedBy, explained, decisions } = answer;
  const hasRules = (answer.rules ?? []).length > 0;
  const isListed = explained.listings.length > 0 || explained.dense.length > 0;
  if (verdict === 'unknown') return 'not known: the rules cannot be read';
  if (verdict === 'partly') return `${partWords(answer)} blocked${when}`;
  if (verdict === 'blocked')
    return `blocked${sideWords(answer)}${decidedBy === 'banned-here' ? ', banned on this host' : ''}${when}`;
  if (decidedBy === 'allowed-here')
    return `not blocked: allowed on this host${hasRules ? ', though the rules list it' : ''}`;
  if (decidedBy === 'let-through') return 'not blocked: this host lets it through';
  if (answer.inKernel === true) return 'blocked by what is loaded, not by the rules here';
  if (decisions.length > 0) return 'not blocked: allowed for all hosts, which wins over the ban';
  if (!isListed) return asked === 'all' ? 'not blocked: no source lists it' : 'not blocked';
  return answer.spared.length > 0
    ? 'not blocked: listed, and never to be blocked'
    : 'not blocked: listed, but not in the rules';
}

function whenWords({ decidedBy, inKernel }: Answer, { loaded }: RulesState): string {
  if (loaded === 'none') return ' once the rules are loaded';
  return inKernel === false && decidedBy === 'rules' ? ' once these rules are loaded' : '';
}

function partWords({ block, blocked }: Answer): string {
  const all = addressCount(countIn(setOfBlock(block), block));
  const [sent, received] = [countIn(blocked.in, block), countIn(blocked.out, block)];
  const words = `${addressCount(sent > 0n ? sent : received)} of its ${all} addresses are`;
  return sent > 0n ? words : `what is sent to ${words}`;
}

function sideWords({ extent }: Answer): string {
  if (extent.in === 'all') return extent.out === 'all' ? ', in both directions' : '';
  return ', what is sent to it';
}

function ruleLines({ rules = [], block, inKernel }: Answer, { loaded }: RulesState): string[] {
  if (rules.length === 0) {
    if (inKernel === undefined && loaded === 'others') return ['other rules are loaded, which may block it'];
    return inKernel === true ? ['the kernel holds other rules, and those block it'] : [];
  }
  const sets = rules.map(({ set, prefixes, element, part }) => {
    const many = `${addressCount(countIn(part, block))} addresses in ${grouped(prefixes)} prefixes`;
    return `${set} ${element === undefined ? many : formatPrefix(element)}`;
  });
  const kernel = {
    these: 'loaded',
    none: 'not loaded',
    others:
      inKernel === undefined
        ? 'other rules are loaded'
        : `other rules are loaded, ${inKernel ? 'which block it, too' : 'which do not block it'}`,
    unknown: 'what is loaded could not be asked',
  } as const;
  return [`in the rules as ${sets.join(', ')}; ${kernel[loaded]}`];
}

function decisionLines({ decisions, letThrough }: Answer): string[] {
  const decided = few(decisions, ({ what, prefix, author, since, until, reason }) => {
    const end = until === undefined ? 'for good' : `until ${minuteText(until)}`;
    const why = reason === undefined ? '' : `: ${escapeText(reason, 200)}`;
    const verb = what === 'allow' ? 'allowed' : 'banned';
    return `${verb} on this host by ${escapeText(author, 64)} on ${minuteText(since)}, ${end} (${formatPrefix(prefix)})${why}`;
  });
  return [...decided, ...few(letThrough, ({ prefix, what }) => `let through: ${formatPrefix(prefix)}, ${what}`)];
}

type Listing = Answer['explained']['listings'][number];

function listingLine({ block }: Answer, { source, part, entry, days }: Listing, { rules, now }: WhyVoice): string {
  const what =
    entry !== undefined
      ? ` as ${formatPrefix(entry)}`
      : isSingle(block)
        ? ''
        : `: ${addressCount(countIn(part, block))} addresses`;
  const since = days === undefined ? '' : ` since ${dayText(days.first)}`;
  const date = rules.dateOf(source.id);
  const old = date === undefined ? '' : `; data of ${ageText(now - date)}`;
  const side = source.direction === 'in' ? '' : source.direction === 'out' ? ' (outgoing)' : ' (both directions)';
  return `listed by ${source.id}${side}${what}${since}${old}`;
}

function ageText(ms: number): string {
  const words = age(ms);
  return words === 'now' ? 'this minute' : `${words} ago`;
}

function sparedLine({ block }: Answer, { by, where, entry, words, part }: Spared, { path }: WhyVoice): string {
  const what = entry === undefined ? `${addressCount(countIn(part, block))} addresses` : formatPrefix(entry);
  const name = words === '' ? '' : ` (${escapeText(words, 80)})`;
  switch (by) {
    case 'special-purpose':
      return `never blocked: ${what}, ${escapeText(words)}`;
    case 'never-block':
      return `never blocked: ${what}${name}, a resolver or root server of the never-block list`;
    case 'allow-file':
      return `allowed for all hosts by ${escapeText(path(where), 200)}: ${what}${name}`;
    case 'allow-feed':
      return `allowed for all hosts by the feed ${where}: ${what}`;
    case 'loaded-rules':
      return `allowed for all hosts by ${escapeText(where, 200)}, when the loaded rules were rendered: ${what}`;
  }
}

function placeLine({ block, country, network }: Answer): string[] {
  const parts = [
    ...(country === undefined ? [] : [`country ${country}`]),
    ...(network === undefined ? [] : [`AS${network.asn} ${escapeText(network.name, 80)}`]),
  ];
  const whose = isSingle(block) ? '' : 'its first address: ';
  return parts.length === 0 ? [] : [`${whose}${parts.join(', ')}`];
}

function hitLine({ block, hits }: Answer): string[] {
  if (hits === undefined) return [];
  const { packets, days, last } = hits;
  const who = block.family.version === 4 ? '' : ' from its /64';
  const when = days === 1 ? `on ${last}` : `on ${days} of the last ${HIT_DAYS} days, last on ${last}`;
  return [`dropped${who}: ${grouped(packets)} packet${packets === 1 ? '' : 's'} ${when}`];
}

/** Where the rules and what the sources hold now are not of one mind: one of them is newer. */
function differenceLines(answer: Answer, { asked, command }: WhyVoice): string[] {
  const { explained, spared, rules: hits } = answer;
  if (hits === undefined) return [];
  const isListed = !explained.listed.in.isEmpty || !explained.listed.out.isEmpty;
  if (hits.length > 0 && !isListed && asked === 'all')
    return [`no source lists it any more: ${command('build')} and ${command('apply')} free it`];
  if (hits.length > 0 && spared.length > 0 && answer.verdict === 'blocked')
    return [`the rules are older than that: ${command('build')} and ${command('apply')} free it`];
  if (hits.length === 0 && isListed && spared.length === 0)
    return [`the rules are older than that: ${command('build')} takes it in`];
  return [];
}

function wayOut(answer: Answer, { command }: WhyVoice): string[] {
  const isOpen = answer.verdict === 'free' || answer.verdict === 'unknown';
  if (isOpen && answer.keptOut === undefined) return [];
  const text = formatPrefix(answer.block);
  return [
    `to let it through on this host, at once: ${command(`allow ${text}`)}; on all hosts: a line in a file of allow.files`,
  ];
}

function isSingle({ family, length }: Prefix): boolean {
  return length === family.bits;
}

function few<T>(all: readonly T[], words: (each: T) => string): string[] {
  const more = all.length - MOST;
  return [
    ...all.slice(0, MOST).map(words),
    ...(more > 0 ? [`  and ${grouped(more)} more like these: --json has all`] : []),
  ];
}

function dayText(day: number): string {
  return dateText(day * DAY_MS);
}
