import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Namespace } from './namespace.js';
import type { Project } from './project.js';

/** What a load that waits for its confirmation leaves on the machine. */

/** Our table as nft prints it, without what only time changes; empty when there is none. */
export async function ours(namespace: Namespace): Promise<string> {
  const { status, stdout } = await namespace.run(['nft', 'list', 'table', 'inet', 'blocklist']);
  const still = stdout.replace(/ (timeout|expires) \S+/g, '').replace(/packets \d+ bytes \d+/g, '');
  return status === 0 ? still : '';
}

/** Numbers of the processes that live and whose command line names the folder, and of those that it says will go back. */
export function watchers(project: Project): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(project.path('state'));
      } catch {
        return false;
      }
    });
}

/** Every process that the pending load names, and that still runs. */
export async function armed(project: Project): Promise<number[]> {
  const text = await readFile(project.path('state', 'pending.json'), 'utf8');
  const { watchdog } = JSON.parse(text) as { watchdog: { processes: { pid: number }[] } };
  return watchdog.processes.map(({ pid }) => pid).filter(runs);
}

export function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
