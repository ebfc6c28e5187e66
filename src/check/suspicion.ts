import type { ProcessFacts } from '../host/process-facts.js';
import type { FindingCode, Severity } from './finding.js';

/** Why a process is not what it looks like. */
export interface Suspicion {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** goes on after `it`: `runs a file that was removed` */
  readonly words: string;
}

/** Where anybody may put a file, and what is gone after a boot. Packages install no program there. */
const ODD_PLACES = /^(\/tmp|\/var\/tmp|\/dev|\/run\/user|\/run\/shm)\//;
/** A name in a folder that ls(1) does not show. */
const HIDDEN = /\/\.[^/]/;
/** ps(1) prints threads of the kernel, which have no command line, in brackets. */
const BRACKETED = /^\[.*\]$/;
const KERNEL_NAMES =
  /^(kworker|ksoftirqd|kthreadd|kswapd|kcompactd|khungtaskd|kauditd|migration|rcu_\w+|cpuhp|irq)(\/|$)/;

/** Of the file that runs, since a process may choose its name and its command line. */
export function suspicionOf({ executable, commandLine, name }: ProcessFacts): Suspicion | undefined {
  if (executable === undefined) return undefined;
  const { path, state } = executable;
  if (state === 'memory') {
    return { code: 'PROC-MEMFD', severity: 'high', words: 'runs from memory, no file ever was there' };
  }
  const isOdd = ODD_PLACES.test(path);
  if (state === 'deleted' || (state === 'replaced' && (isOdd || HIDDEN.test(path)))) {
    return { code: 'PROC-DELETED-EXE', severity: 'high', words: 'runs a file that was removed' };
  }
  if (isOdd) return { code: 'PROC-TMP-EXE', severity: 'high', words: 'runs from a folder where anybody may write' };
  if (BRACKETED.test(commandLine) || KERNEL_NAMES.test(name)) {
    return { code: 'PROC-FAKE-KTHREAD', severity: 'high', words: 'calls itself as a thread of the kernel' };
  }
  if (state === 'replaced') {
    const words = 'runs an older file than the one that is there now: restart it';
    return { code: 'PROC-DELETED-EXE', severity: 'low', words };
  }
  return undefined;
}
