import { readlinkSync, type Stats, statSync } from 'node:fs';
import { threadsOf, whereReadable } from './processes.js';

/**
 * - there: the file at that path is the one that runs;
 * - replaced: it was removed, and another file is at its path, as after an upgrade;
 * - deleted: it was removed, and nothing is there;
 * - memory: it never was in a folder (memfd_create(2));
 * - elsewhere: the path counts in the folders of the process itself, as in a container.
 */
export type ExecutableState = 'there' | 'replaced' | 'deleted' | 'memory' | 'elsewhere';

/** The file that a process runs, which the process cannot make up as it can its name and its command line. */
export interface Executable {
  /** without the kernel's mark for what was removed; any character may be in it */
  readonly path: string;
  readonly state: ExecutableState;
}

/** What proc(5) puts behind the name of a file that was removed. */
const REMOVED = ' (deleted)';

/** Undefined when it is not ours to see, when the process has ended, and for threads of the kernel. */
export function executableOf(pid: number, proc = '/proc'): Executable | undefined {
  const process = `${proc}/${pid}`;
  for (const folder of [process, ...threadsOf(process)]) {
    const link = whereReadable(() => readlinkSync(`${folder}/exe`));
    if (link !== undefined) return named(link, folder);
  }
  return undefined;
}

function named(link: string, folder: string): Executable {
  const running = facts(`${folder}/exe`);
  const at = (path: string): 'same' | 'other' | 'none' => {
    const found = facts(path);
    if (found === undefined) return 'none';
    return found.dev === running?.dev && found.ino === running.ino ? 'same' : 'other';
  };
  // A file may bear the mark in its own name. That other names of it are left (st_nlink) says nothing: whoever hides one makes a link first.
  const isRemoved = link.endsWith(REMOVED) && ![link, `${folder}/root${link}`].some((path) => at(path) === 'same');
  const path = isRemoved ? link.slice(0, -REMOVED.length) : link;
  if (isRemoved && path.startsWith('/memfd:')) return { path, state: 'memory' };
  const [here, inside] = [at(path), at(`${folder}/root${path}`)];
  if (isRemoved) return { path, state: here === 'none' && inside === 'none' ? 'deleted' : 'replaced' };
  return { path, state: here === 'same' ? 'there' : 'elsewhere' };
}

function facts(path: string): Stats | undefined {
  return whereReadable(() => statSync(path));
}
