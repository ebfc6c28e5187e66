import type { DoorKey } from '../check/doors.js';
import type { Finding } from '../check/finding.js';
import type { GatheredPorts } from '../check/port-facts.js';
import { doorWords, type Judged, type PortFacts, type PortReview } from '../check/ports.js';
import type { Executable } from '../host/executable.js';
import type { ProcessFacts } from '../host/process-facts.js';
import { escapeText } from '../io/escape.js';
import { table } from '../io/table.js';
import type { Context } from './context.js';

export type LookedAt = GatheredPorts & Pick<PortFacts, 'baseline'>;

const COLUMNS = [
  { title: 'proto' },
  { title: 'address' },
  { title: 'reach' },
  { title: 'state' },
  { title: 'pid', align: 'right' },
  { title: 'user' },
  { title: 'executable' },
  { title: 'unit' },
  { title: 'package' },
] as const;
const STATES: Readonly<Record<Judged['state'], string>> = { accepted: 'accepted', new: 'NEW', inside: '', unseen: '?' };
/** Sentences have paths in them. */
const LONGEST = 600;

/** A table, then what is wrong, each with its command, then what closes the rest of what can be reached. */
export function printPortsText({ doors, findings, vanished }: PortReview, facts: LookedAt, { stdout }: Context): void {
  const rows = doors.map((door) => rowOf(door, facts));
  const rest = doors.filter(({ state, finding }) => state === 'accepted' && finding === undefined);
  const parts = [
    rows.length === 0 ? '' : table(COLUMNS, rows),
    findingLines(findings),
    rest.map(({ key, advice }) => `accepted: ${doorWords(key)}; ${adviceText(advice)}\n`).join(''),
    vanished.map((key) => `no longer there: ${keyText(key)}\n`).join(''),
  ];
  stdout.write(parts.filter((part) => part !== '').join('\n'));
}

/** What is accepted, or was, in one line. */
export function keyText(key: DoorKey): string {
  return `${doorWords(key)}, ${escapeText(key.executable ?? 'nobody that is seen', LONGEST)}`;
}

export function findingLines(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ code }) => code.length));
  return findings
    .map(({ severity, code, what, suggest, note }) => {
      const head = `${severity.padEnd(6)}  ${code.padEnd(width)}  ${escapeText(what, LONGEST)}`;
      const after = note === undefined ? '' : `    (${escapeText(note, LONGEST)})`;
      return `${head}\n${' '.repeat(width + 10)}do: ${suggest}${after}\n`;
    })
    .join('');
}

function adviceText(advice: Judged['advice']): string {
  if (advice.kind === 'keep') return `keep it: ${advice.why}`;
  return `to close it: ${advice.command}${advice.note === undefined ? '' : `    (${advice.note})`}`;
}

function rowOf(door: Judged, { users, unitsOf, packages }: LookedAt): string[] {
  const { key, sockets, openers, heirs, state } = door;
  const [first] = openers;
  const nobody = state === 'unseen' ? 'not seen' : 'unknown';
  const more = openers.length + heirs.length - 1;
  return [
    key.protocol,
    sockets.map(({ text }) => text).join(' '),
    key.scope === 'loopback' ? 'loopback' : 'outside',
    STATES[state],
    first === undefined ? nobody : `${first.pid}${more > 0 ? ` +${more}` : ''}`,
    first === undefined ? nobody : userOf(first, users),
    first?.executable === undefined ? nobody : executableText(first.executable),
    unitsOf(door).join(' ') || 'none',
    packages === undefined || key.executable === null ? '' : (packages.get(key.executable) ?? 'no package'),
  ];
}

function userOf({ uid }: ProcessFacts, users: LookedAt['users']): string {
  return uid === undefined ? 'unknown' : (users.get(uid) ?? String(uid));
}

const MARKS: Readonly<Record<Executable['state'], string>> = {
  there: '',
  replaced: ' (replaced)',
  deleted: ' (deleted)',
  memory: ' (memory)',
  elsewhere: ' (in a container)',
};

/** The mark is seen however long the path is. */
function executableText({ path, state }: Executable): string {
  return `${escapeText(path, 40)}${MARKS[state]}`;
}

export function printPortsJson({ doors, findings, vanished }: PortReview, facts: LookedAt, { stdout }: Context): void {
  const { baseline, coverage, users, unitsOf, packages } = facts;
  const processJson = ({ pid, name, uid, commandLine, executable, unit }: ProcessFacts) => ({
    pid,
    name,
    executable: executable ?? null,
    package: packages?.get(executable?.path ?? '') ?? null,
    commandLine,
    uid: uid ?? null,
    user: users.get(uid ?? -1) ?? null,
    unit: unit?.name ?? null,
  });
  const data = {
    complete: coverage === 'complete',
    baseline: baseline === undefined ? null : { at: baseline.at, by: baseline.by },
    listeners: doors.map((door) => ({
      ...door.key,
      reach: door.key.scope === 'loopback' ? 'loopback' : 'outside',
      state: door.state,
      addresses: door.sockets.map(({ text }) => text),
      units: unitsOf(door),
      openers: door.openers.map(processJson),
      heirs: door.heirs.map(processJson),
      close: door.advice.kind === 'close' ? door.advice.command : null,
      note: (door.advice.kind === 'close' ? door.advice.note : door.advice.why) ?? null,
      finding: door.finding?.fingerprint ?? null,
    })),
    vanished,
    findings,
  };
  stdout.write(`${JSON.stringify({ schema: 'blocklist/check-ports', version: 1, ...data })}\n`);
}
