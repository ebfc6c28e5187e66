import type { Listener } from '../host/listeners.js';
import type { ProcessFacts } from '../host/process-facts.js';
import { isLoopback } from '../host/single.js';
import { type Prefix, specialPurpose } from '../ip/index.js';

/**
 * From where a listener can be reached: it is bound to every address, to one that the internet can send to, to one of a private network, or
 * to the loopback interface.
 */
export const SCOPES = ['any', 'public', 'private', 'loopback'] as const;
export type Scope = (typeof SCOPES)[number];

/** What is accepted or not: the same after a restart of the process and of the host. */
export interface DoorKey {
  readonly protocol: 'tcp' | 'udp';
  /** `changing`: a port of UDP that the kernel chose, for questions to others; it is another one after every restart */
  readonly port: number | 'changing';
  readonly scope: Scope;
  /** path; null: no process is seen, or not what it runs */
  readonly executable: string | null;
}

/** All sockets that are one thing for a person: the same program behind the same port, whatever the family. */
export interface Door {
  readonly key: DoorKey;
  readonly sockets: readonly Listener[];
  /** who opened it: no parent of theirs holds it, too; ascending */
  readonly openers: readonly ProcessFacts[];
  /** who has it from an opener: workers, sessions, the service of a socket of systemd */
  readonly heirs: readonly ProcessFacts[];
}

/** First and last port that the kernel gives away by itself (ip_local_port_range of ip(7)). */
export type PortRange = readonly [first: number, last: number];

/** Ascending by port, UDP behind TCP. A socket that unrelated programs hold is a door of each. */
export function doorsOf(listeners: readonly Listener[], chosen: PortRange): Door[] {
  const doors = new Map<string, Door>();
  for (const listener of listeners) {
    const openers = openersOf(listener.processes);
    const paths = new Set(openers.map(({ executable }) => executable?.path ?? null));
    for (const path of paths.size === 0 ? [null] : paths) {
      const key = keyOf(listener, path, chosen);
      const id = JSON.stringify(key);
      const before = doors.get(id) ?? { key, sockets: [], openers: [], heirs: [] };
      const mine = openers.filter(({ executable }) => (executable?.path ?? null) === path);
      doors.set(id, {
        key,
        sockets: [...before.sockets, listener],
        openers: joined(before.openers, mine),
        heirs: joined(
          before.heirs,
          listener.processes.filter((each) => !openers.includes(each)),
        ),
      });
    }
  }
  return [...doors.values()].sort(compareDoors);
}

function joined(a: readonly ProcessFacts[], b: readonly ProcessFacts[]): ProcessFacts[] {
  return [...new Map([...a, ...b].map((each) => [each.pid, each])).values()].sort((x, y) => x.pid - y.pid);
}

/** Workers come and go and may run another file than who opened the socket, as those of Postfix do: they are not what is accepted. */
function openersOf(processes: readonly ProcessFacts[]): ProcessFacts[] {
  const holders = new Map(processes.map((each) => [each.pid, each]));
  // A parent that holds the socket, too, handed it on. The first process is nobody's child.
  return processes.filter(({ parent, pid }) => parent === pid || !holders.has(parent));
}

function keyOf({ protocol, port, ...bound }: Listener, executable: string | null, chosen: PortRange): DoorKey {
  const isChosen = protocol === 'udp' && port >= chosen[0] && port <= chosen[1];
  // Of an interpreter it is not known what it runs, and nobody but the kernel itself (WireGuard) opens a port without a program.
  const isChanging = isChosen && executable !== null && !isInterpreter(executable);
  return { protocol, port: isChanging ? 'changing' : port, scope: scopeOf(bound), executable };
}

const SPECIAL = specialPurpose();

function scopeOf({
  address,
  device,
}: {
  readonly address: Prefix | undefined;
  readonly device: string | undefined;
}): Scope {
  if (device === 'lo' || (address !== undefined && isLoopback(address))) return 'loopback';
  if (address === undefined) return 'any';
  return SPECIAL.has(address) ? 'private' : 'public';
}

const INTERPRETERS =
  /\/(python|perl|ruby|php|lua|tclsh|node|java|bash|dash|sh|zsh|ksh|busybox|nc|ncat|socat|deno|bun|pwsh)(js|[-.\d][^/]*)?$/;

/** Whether the program runs what its command line says, so that its path alone tells little. */
export function isInterpreter(path: string): boolean {
  return INTERPRETERS.test(path);
}

function compareDoors({ key: a }: Door, { key: b }: Door): number {
  const order = (port: DoorKey['port']) => (port === 'changing' ? Number.POSITIVE_INFINITY : port);
  if (a.protocol !== b.protocol) return a.protocol === 'tcp' ? -1 : 1;
  if (order(a.port) !== order(b.port)) return order(a.port) - order(b.port);
  if (a.scope !== b.scope) return SCOPES.indexOf(a.scope) - SCOPES.indexOf(b.scope);
  const [left, right] = [a.executable ?? '', b.executable ?? ''];
  return left < right ? -1 : left > right ? 1 : 0;
}
