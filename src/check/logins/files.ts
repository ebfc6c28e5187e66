import { basename } from 'node:path';
import { isoText } from '../../io/figures.js';
import type { Span } from '../../logins/book.js';
import type { RecordKind } from '../../logins/event.js';
import type { FileFacts, HistoryFacts, RecordFacts } from '../../logins/file-facts.js';
import type { Visit } from '../../logins/visit.js';
import { type Finding, type FindingCode, fingerprintOf, type Severity } from '../finding.js';
import { type Found, ofRecords } from './found.js';
import { keepCopy, moment } from './tamper.js';

const MONTH_MS = 30 * 86_400_000;
/** Writers set the time of a row a moment before they write it. */
const SLACK_MS = 60_000;
const OTHERS_MAY_WRITE = 0o002;

/** A finding about a file, before it is said how the file is called. */
type OfFile = Omit<Finding, 'what'> & { readonly path: string; readonly words: string };

/** What the files themselves give away, whatever is in them. */
export function fileFindings(
  { records, histories, owner, age }: RecordFacts,
  visits: readonly Visit[],
  spans: ReadonlyMap<RecordKind, Span>,
  shown: (path: string) => string,
): Found[] {
  const [wtmp, , lastlog] = records;
  const isOld = age !== undefined && age > MONTH_MS;
  const found = [
    ...records.flatMap((facts) => placeFindings(facts, owner)),
    ...(wtmp === undefined ? [] : wtmpFindings(wtmp, lastlog, isOld, spans)),
    ...histories.flatMap((facts) => historyFinding(facts, visits) ?? []),
  ];
  return found.map(({ path, ...finding }) =>
    ofRecords({ ...finding, what: `${shown(path)}: ${finding.words}` }, undefined),
  );
}

function placeFindings(facts: FileFacts, owner: number): OfFile[] {
  const { path, type, target, uid, mode } = facts;
  if (type === 'link') {
    return [
      made('WTMP-SYMLINK', 'high', facts, `it is a link to ${target}: what is written there is lost or goes elsewhere`),
    ];
  }
  if (type === 'other')
    return [made('WTMP-UNREADABLE', 'high', facts, 'it is no regular file, so nothing is kept there')];
  if (type === 'missing') return [];
  const odd =
    uid !== 0 ? `it belongs to uid ${uid}` : (mode & OTHERS_MAY_WRITE) !== 0 ? 'everybody may write it' : undefined;
  if (odd === undefined) return [];
  const finding = made(
    'WTMP-PERMS',
    'medium',
    facts,
    `${odd} (mode ${mode.toString(8)}): others than its writers can change it`,
  );
  return [
    { ...finding, suggest: uid !== 0 && uid !== owner ? `sudo chown root:utmp ${path}` : `sudo chmod o-w ${path}` },
  ];
}

function wtmpFindings(
  wtmp: FileFacts,
  lastlog: FileFacts | undefined,
  isOld: boolean,
  spans: ReadonlyMap<RecordKind, Span>,
): OfFile[] {
  const hasOthers = wtmp.rotations > 0 || (lastlog?.type === 'file' && lastlog.size > 0);
  if (wtmp.type === 'missing') {
    // Systems that keep it in a database have neither.
    if (!hasOthers || spans.has('wtmpdb')) return [];
    return [made('WTMP-EMPTY', 'high', wtmp, 'it is gone, while what goes with it is there')];
  }
  if (wtmp.type !== 'file') return [];
  if (wtmp.size === 0) {
    // Just after a rotation it is empty, and the rotation lies beside it.
    if (wtmp.rotations > 0 || !(isOld || hasOthers) || spans.has('wtmpdb')) return [];
    return [made('WTMP-EMPTY', 'high', wtmp, 'it is empty and nothing was put aside, on a system that had logins')];
  }
  const last = spans.get('wtmp')?.last;
  if (last === undefined || last <= wtmp.changed + SLACK_MS) return [];
  const words = `its time of change is ${moment(wtmp.changed)}, before its last row of ${moment(last)}: somebody set it back`;
  return [made('WTMP-TIMESTOMP', 'medium', wtmp, words)];
}

/** A shell writes it when it ends: who came on a terminal leaves something there. */
function historyFinding(facts: HistoryFacts, visits: readonly Visit[]): OfFile | undefined {
  const words = historyWords(facts, visits);
  if (words === undefined) return undefined;
  return {
    ...made('HISTORY-GONE', 'medium', facts, words, facts.user),
    suggest: `ls -la ${/^[\w./-]+$/.test(facts.path) ? facts.path : '/root'}`,
    note: 'who did it had the rights of the account, or root’s',
  };
}

function historyWords({ user, type, target, size }: HistoryFacts, visits: readonly Visit[]): string | undefined {
  if (type === 'link' && target === '/dev/null') return `what ${user} types is not kept: it is a link to /dev/null`;
  const ended = visits.filter((visit) => visit.user === user && visit.hasTerminal && visit.end !== undefined);
  if (type !== 'file' || size > 0 || ended.length === 0) return undefined;
  const sessions = ended.length === 1 ? 'a session' : `${ended.length} sessions`;
  return `what ${user} typed was emptied, and ${user} had ${sessions} on a terminal`;
}

function made(code: FindingCode, severity: Severity, facts: FileFacts, words: string, user?: string): OfFile {
  const { path, type, target, uid, mode, size, changed } = facts;
  return {
    code,
    severity,
    // The same for a copy that lies somewhere else.
    fingerprint: fingerprintOf(code, [basename(path), target ?? null, user ?? null]),
    path,
    words,
    evidence: {
      file: path,
      type,
      target: target ?? null,
      uid,
      mode: mode.toString(8),
      size,
      changed: isoText(changed),
    },
    ...keepCopy(path, 'wtmp'),
  };
}
