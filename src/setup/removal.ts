import { lstat } from 'node:fs/promises';
import { below, PLACE, SYSTEM_USER } from './layout.js';
import type { Found, Step } from './plan.js';
import { idsOf } from './system-user.js';
import { disableSteps } from './systemd.js';

export interface RemovalOptions {
  /** also configuration, lists, rules, caches, state and the system user */
  readonly purge: boolean;
  readonly root: string;
  /** systemd is the init here, and can be told */
  readonly canTell: boolean;
}

/** What `uninstall` has to do to take away these files. What install did not write is never among them. */
export async function removalSteps(removed: readonly Found[], options: RemovalOptions): Promise<Step[]> {
  const { before, after } = options.canTell ? disableSteps(removed) : { before: [], after: [] };
  const files = removed.map(({ path }): Step => ({ do: 'remove', path }));
  return [...before, ...files, ...after, ...(options.purge ? await purgeSteps(options.root) : [])];
}

async function purgeSteps(root: string): Promise<Step[]> {
  const steps: Step[] = [];
  for (const path of [PLACE.folder, PLACE.cache, PLACE.state]) {
    const facts = await lstat(below(root, path)).catch(() => undefined);
    if (facts !== undefined) steps.push({ do: 'purge', path });
  }
  if (root === '/' && (await idsOf(SYSTEM_USER)) !== undefined) steps.push({ do: 'remove-user' });
  return steps;
}
