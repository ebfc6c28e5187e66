import type { Surroundings } from '../../src/check/close.js';
import { type Door, doorsOf } from '../../src/check/doors.js';
import type { ExecutableState } from '../../src/host/executable.js';
import type { Listener } from '../../src/host/listeners.js';
import type { ProcessFacts } from '../../src/host/process-facts.js';
import { parseBoundLine } from '../../src/host/ss.js';
import { unitOf } from '../../src/host/unit.js';

export interface ProcessSample extends Partial<Omit<ProcessFacts, 'executable' | 'unit'>> {
  readonly path?: string | undefined;
  readonly state?: ExecutableState;
  /** path of its control group */
  readonly group?: string;
}

export function processOf({ path, state = 'there', group = '/', ...rest }: ProcessSample = {}): ProcessFacts {
  return {
    ...{ name: 'x', pid: 100, parent: 1, uid: 0, commandLine: path ?? '' },
    executable: path === undefined ? undefined : { path, state },
    unit: unitOf(`0::${group}\n`),
    ...rest,
  };
}

/** `tcp 0.0.0.0:22`, as ss has it in its columns. */
export function listenerOf(end: string, ...processes: readonly ProcessFacts[]): Listener {
  const [protocol = '', local = ''] = end.split(' ');
  const line = parseBoundLine(`${protocol} ${protocol === 'tcp' ? 'LISTEN' : 'UNCONN'} 0 0 ${local} *:* ino:1`);
  if (line === undefined) throw new Error(`sample: ${end}`);
  const { inode: _, ...bound } = line;
  return { ...bound, processes };
}

export const CHOSEN = [32_768, 60_999] as const;

/** The one door of a process with these sockets. */
export function doorOf(ends: readonly string[], ...samples: readonly ProcessSample[]): Door {
  const processes = samples.map(processOf);
  const [door, ...more] = doorsOf(
    ends.map((end) => listenerOf(end, ...processes)),
    CHOSEN,
  );
  if (door === undefined || more.length > 0) throw new Error('sample: not one door');
  return door;
}

export const AROUND: Surroundings = {
  sshPorts: new Set([22]),
  callerPort: undefined,
  callerTunnel: undefined,
  own: new Set([50, 51]),
  socketUnits: [],
  lockdown: 'blocklist lockdown --allow 203.0.113.7',
  userOf: (uid) => (uid === 1000 ? 'ann' : undefined),
  isTransient: (unit) => unit.startsWith('run-'),
};
