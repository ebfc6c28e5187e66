import { join } from 'node:path';
import { replaceFiles, requireWithinReach } from '../apply/firewalld.js';
import type { RuleSets } from '../build/build.js';
import { factsOf } from '../io/read.js';
import { renderFirewalld } from '../render/firewalld.js';
import { type Context, shortPath } from './context.js';

/** Where the form of firewalld stands beside the artefact, for review: firewalld itself is given what `apply --target firewalld` renders. */
const FOLDER = 'firewalld';

/** Whether the rules are to be rendered for firewalld, too: it was asked, or it was done before, and would go stale. */
export function wantsFirewalld(rules: string, format: 'nft' | 'firewalld'): boolean {
  return format === 'firewalld' || factsOf(join(rules, FOLDER)) !== undefined;
}

/** @throws BlocklistError `beyond-firewalld` */
export function requireWithinFirewalld(sets: RuleSets, rules: string, context: Context): void {
  const folder = shortPath(context, join(rules, FOLDER));
  requireWithinReach(sets, folder, `leave it to our own table; without ${folder} nothing is rendered for firewalld`);
}

/** @returns the folder */
export async function writeFirewalldFiles(rules: string, sets: RuleSets): Promise<string> {
  const folder = join(rules, FOLDER);
  await replaceFiles(renderFirewalld(sets.in), folder);
  return folder;
}
