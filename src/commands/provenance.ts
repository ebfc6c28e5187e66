import { stat } from 'node:fs/promises';
import { BlocklistError } from '../errors.js';
import type { Address } from '../ip/index.js';
import type { Loaded } from '../sources/contract.js';
import type { Context, GlobalOptions } from './context.js';
import type { Project } from './project.js';

/**
 * Which sources of the configuration list the address, by what is on this machine. Reads every source, so it is asked only when there is
 * something to explain. Empty where that cannot be told: a host that only loads what another one built.
 */
export async function namesOf(
  address: Address,
  project: Project,
  options: GlobalOptions,
  context: Context,
): Promise<string[]> {
  return (await readSources(project, options, context)).filter(({ set }) => set.has(address)).map(({ id }) => id);
}

/** Every source as it is on this machine; none where they cannot be read. */
export async function readSources(
  project: Project,
  options: GlobalOptions,
  context: Context,
): Promise<readonly Loaded[]> {
  if (context.uid === 0 && !(await isOwn(project.cache))) return [];
  const { gather } = await import('./gather.js');
  const how = { network: 'avoid', urgency: 'polite', only: [], accepted: [] } as const;
  try {
    return (await gather(project, how, { ...options, quiet: true }, context)).block;
  } catch (error) {
    if (error instanceof BlocklistError) return [];
    throw error;
  }
}

/** Reading sources also writes their parsed form: root does not write where another user could lay links. */
async function isOwn(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).uid === 0;
  } catch {
    return false;
  }
}
