import { setTimeout as pause } from 'node:timers/promises';
import { type ProcessFacts, processFacts } from './process-facts.js';
import { socketOwners } from './processes.js';
import { type BoundLine, boundLines } from './ss.js';

/** A socket that waits for whoever comes, and who holds it. */
export interface Listener extends Omit<BoundLine, 'inode'> {
  /** empty: the kernel itself, a process of another pid namespace, one that hides, or one that is not ours to see */
  readonly processes: readonly ProcessFacts[];
}

export interface Listening {
  readonly listeners: readonly Listener[];
  /** whether every owner that there is was seen: always for no one but root */
  readonly isComplete: boolean;
  /** processes that do not let us see what they hold, as one with more rights than ours does not */
  readonly denied: readonly number[];
}

/** A process that begins or ends while we look is there, or gone, after that. */
const SETTLED_MS = 100;

/**
 * The sockets of this network namespace that wait for whoever comes: TCP and UDP, both families. Looked at twice when one has no owner: what has none
 * the second time, either, has none.
 * @throws BlocklistError `program-missing`, `program-failed`
 */
export async function listening(uid: number): Promise<Listening> {
  const first = await look(uid);
  if (uid !== 0 || first.listeners.every(isOwned)) return first;
  await pause(SETTLED_MS);
  return look(uid);
}

function isOwned({ processes }: Listener): boolean {
  return processes.length > 0;
}

async function look(uid: number): Promise<Listening> {
  const lines = await boundLines();
  const denied = new Set<number>();
  const owners = socketOwners(new Set(lines.map(({ inode }) => inode)), '/proc', (pid) => denied.add(pid));
  const known = new Map<number, ProcessFacts | undefined>();
  const listeners = lines.map(({ inode, ...line }) => {
    const processes = (owners.get(inode) ?? []).map((process) => {
      if (!known.has(process.pid)) known.set(process.pid, processFacts(process));
      return known.get(process.pid);
    });
    return { ...line, processes: processes.filter((each) => each !== undefined) };
  });
  // Where /proc is mounted with hidepid, those of others are not even there, and deny nothing.
  const isComplete = uid === 0 && (denied.size === 0 || listeners.every(isOwned));
  return { listeners, isComplete, denied: [...denied] };
}
