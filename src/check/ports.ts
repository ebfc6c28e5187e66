import type { Packages } from '../host/packages.js';
import type { ProcessFacts } from '../host/process-facts.js';
import type { Advice } from './advice.js';
import { type Baseline, idOf } from './baseline.js';
import { type Door, type DoorKey, isInterpreter, type Scope } from './doors.js';
import { bySeverity, type Finding, type FindingCode, fingerprintOf, type Severity } from './finding.js';
import { type Suspicion, suspicionOf } from './suspicion.js';

/**
 * - accepted: as the baseline has it;
 * - new: reachable from outside, and not in the baseline;
 * - inside: reachable from this host alone;
 * - unseen: who holds it is not ours to see, so nobody can tell.
 */
export type DoorState = 'accepted' | 'new' | 'inside' | 'unseen';

/** A door with all that is known of it. */
export interface Judged extends Door {
  readonly state: DoorState;
  readonly advice: Advice;
  readonly finding: Finding | undefined;
}

type Stated = Omit<Judged, 'finding'>;

export type Coverage = 'complete' | 'incomplete';

/** What `judgePorts` is given. */
export interface PortFacts {
  readonly doors: readonly Door[];
  readonly coverage: Coverage;
  /** processes that do not show what they hold, to root; `others`: root is not asking */
  readonly denied: readonly number[] | 'others';
  readonly baseline: Baseline | undefined;
  readonly packages: Packages;
  readonly adviceOf: (door: Door) => Advice;
  /** lower-case hex of the SHA-256 of what a suspicious process runs, as far as it could be read */
  readonly digestOf: (process: ProcessFacts) => string | undefined;
  /** the command that accepts what is found, and the one that sees everything */
  readonly commands: { readonly accept: string; readonly asRoot: string };
}

export interface PortReview {
  readonly doors: readonly Judged[];
  /** the worst first */
  readonly findings: readonly Finding[];
  /** of the baseline, behind whose port nobody listens any more */
  readonly vanished: readonly DoorKey[];
}

/** Pure: the same facts, the same findings. */
export function judgePorts(facts: PortFacts): PortReview {
  const { doors, coverage, baseline } = facts;
  const accepted = new Set(baseline?.listeners.map(idOf));
  const judged = doors.map((door): Judged => {
    const stated = { ...door, state: stateOf(door, accepted, coverage), advice: facts.adviceOf(door) };
    return { ...stated, finding: findingOf(stated, facts) };
  });
  const findings = judged.flatMap(({ finding }) => finding ?? []);
  if (coverage === 'incomplete') findings.push(incomplete(judged, facts));
  const places = new Set(doors.map(({ key }) => placeOf(key)));
  // Whose port changes is not known again without its program.
  const known = (baseline?.listeners ?? []).filter(({ port }) => coverage === 'complete' || port !== 'changing');
  return {
    doors: judged,
    findings: findings.sort(bySeverity),
    vanished: known.filter((key) => !places.has(placeOf(key))),
  };
}

/** Where somebody listens, whoever it is. */
function placeOf(key: DoorKey): string {
  return idOf(key.port === 'changing' ? key : { ...key, executable: null });
}

/** Whether somebody may hold it who is not ours to see. */
export function isUnseen({ key }: Door, coverage: Coverage): boolean {
  return key.executable === null && coverage === 'incomplete';
}

function stateOf(door: Door, accepted: ReadonlySet<string>, coverage: Coverage): DoorState {
  const { key } = door;
  if (isUnseen(door, coverage)) return 'unseen';
  if (key.scope === 'loopback') return 'inside';
  return accepted.has(idOf(key)) ? 'accepted' : 'new';
}

/** Of several reasons the worst is told. */
function findingOf(door: Stated, facts: PortFacts): Finding | undefined {
  const suspects = [...door.openers, ...door.heirs].flatMap((process) => {
    const suspicion = suspicionOf(process);
    return suspicion === undefined ? [] : [{ process, suspicion }];
  });
  const [worst] = suspects.sort((a, b) => bySeverity(a.suspicion, b.suspicion));
  const reason = ownReason(door);
  if (worst !== undefined && (reason === undefined || bySeverity(worst.suspicion, reason) <= 0)) {
    return suspicious(door, worst, facts);
  }
  return reason && made(reason.code, reason.severity, door, wordsOf(door, facts), door.openers, facts);
}

function ownReason({ state, key }: Stated): { code: FindingCode; severity: Severity } | undefined {
  if (state === 'new')
    return { code: key.executable === null ? 'PORT-NO-OWNER' : 'PORT-UNEXPECTED', severity: 'medium' };
  if (state === 'inside' && key.executable === null) return { code: 'PORT-NO-OWNER', severity: 'low' };
  return undefined;
}

function suspicious(
  door: Stated,
  { process, suspicion }: { readonly process: ProcessFacts; readonly suspicion: Suspicion },
  facts: PortFacts,
): Finding {
  const path = process.executable?.path ?? '';
  const words = `${doorWords(door.key)} is held by ${path} (${process.pid}), which ${suspicion.words}${acceptedWords(door, facts)}`;
  const finding = made(suspicion.code, suspicion.severity, door, words, [process], facts);
  if (suspicion.severity !== 'low') return finding;
  const { note: _, ...rest } = finding;
  return { ...rest, suggest: restartOf(process) };
}

function restartOf({ unit, pid }: ProcessFacts): string {
  const isService = unit?.name.endsWith('.service') === true && unit.user === undefined && !unit.name.includes('\\');
  return isService ? `systemctl restart ${unit.name}` : `ls -l /proc/${pid}/exe`;
}

function made(
  code: FindingCode,
  severity: Severity,
  door: Stated,
  what: string,
  processes: readonly ProcessFacts[],
  facts: PortFacts,
): Finding {
  const { key, sockets, advice } = door;
  const [first] = processes;
  const executable = first?.executable?.path ?? key.executable;
  const digest = first === undefined ? undefined : facts.digestOf(first);
  return {
    code,
    severity,
    fingerprint: fingerprintOf(code, [key.protocol, key.port, key.scope, executable]),
    what,
    evidence: {
      protocol: key.protocol,
      port: key.port,
      scope: key.scope,
      addresses: sockets.map(({ text }) => text),
      pids: processes.map(({ pid }) => pid),
      executable,
      state: first?.executable?.state ?? null,
      commandLine: first?.commandLine ?? null,
      uid: first?.uid ?? null,
      unit: first?.unit?.name ?? null,
      package: facts.packages?.get(executable ?? '') ?? null,
      ...(digest === undefined ? {} : { sha256: digest }),
    },
    ...adviceWords(advice, facts),
  };
}

function adviceWords(advice: Advice, { commands }: PortFacts): Pick<Finding, 'suggest' | 'note'> {
  if (advice.kind === 'keep') return { suggest: commands.accept, note: `keep it: ${advice.why}` };
  return { suggest: advice.command, ...(advice.note === undefined ? {} : { note: advice.note }) };
}

const SCOPE_WORDS: Readonly<Record<Scope, string>> = {
  any: 'on every address',
  public: 'on a public address',
  private: 'on an address of a private network',
  loopback: 'inside this host',
};

/** `tcp port 22 on every address` */
export function doorWords({ protocol, port, scope }: DoorKey): string {
  return `${protocol} ${port === 'changing' ? 'ports that change' : `port ${port}`} ${SCOPE_WORDS[scope]}`;
}

function wordsOf(door: Stated, facts: PortFacts): string {
  const { key, openers } = door;
  const [first] = openers;
  if (first === undefined) {
    const who = 'no process is seen to hold it: the kernel itself (WireGuard, NFS), or one that hides';
    return `${doorWords(key)}: ${who}${acceptedWords(door, facts)}`;
  }
  const pids = openers.map(({ pid }) => pid).join(', ');
  const path = key.executable ?? `${first.name}, what it runs is not known`;
  const says = key.executable !== null && isInterpreter(key.executable) ? `: ${first.commandLine}` : '';
  return `${doorWords(key)} is held by ${path} (${pids}${says})${acceptedWords(door, facts)}`;
}

/** Another program behind a port that was accepted is what to look for. */
function acceptedWords({ key, state }: Stated, { baseline }: PortFacts): string {
  if (state === 'accepted') return '; it was accepted';
  const there = (baseline?.listeners ?? []).filter(
    (each) => each.protocol === key.protocol && each.port === key.port && idOf(each) !== idOf(key),
  );
  if (key.scope === 'loopback' || key.port === 'changing' || there.length === 0) return '';
  const words = there.map(({ executable, scope }) => {
    const who = executable ?? 'nobody that is seen';
    return scope === key.scope ? who : `${who} ${SCOPE_WORDS[scope]}`;
  });
  return `; accepted there is ${words.join(', ')}`;
}

function incomplete(doors: readonly Judged[], { commands, denied }: PortFacts): Finding {
  const unseen = doors.filter(({ state }) => state === 'unseen').length;
  const who =
    denied === 'others'
      ? 'processes of other users do not show what they hold'
      : `process ${denied.slice(0, 5).join(', ')} does not show what it holds`;
  return {
    code: 'SRC-INCOMPLETE',
    severity: 'info',
    fingerprint: fingerprintOf('SRC-INCOMPLETE', ['ports']),
    what: `${who}; listeners without a known owner: ${unseen}`,
    evidence: { source: 'processes', unseen },
    ...(denied === 'others'
      ? { suggest: commands.asRoot }
      : {
          suggest: 'grep CapEff /proc/self/status',
          note: 'CAP_SYS_PTRACE, and no less than those have, is needed: in a container look from the host',
        }),
  };
}
