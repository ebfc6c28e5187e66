import { lockoutHits, lockoutWords, onlyHit } from '../apply/lockout.js';
import type { RuleSets } from '../build/build.js';
import { BlocklistError } from '../errors.js';
import { formatPrefix } from '../ip/index.js';
import { type Context, commandLine, type GlobalOptions } from './context.js';
import { everyoneOf, type Local } from './local.js';
import type { Project } from './project.js';
import { namesOf } from './provenance.js';

/**
 * Refuses rules that would drop whom this host needs, or the person who is loading them.
 * @throws BlocklistError `lockout`, with the sources that list the address, as far as this host knows, and the command that lets it through.
 */
export async function requireNoLockout(
  sets: RuleSets,
  where: string,
  local: Local,
  project: Project,
  options: GlobalOptions,
  context: Context,
): Promise<void> {
  const { caller, allowed, open } = local;
  const hits = [...lockoutHits(sets, everyoneOf(local), allowed), ...onlyHit(sets, caller, open)];
  const [first] = hits;
  if (first === undefined) return;
  const isListed = !first.set.startsWith('only');
  const [sources = []] = isListed ? await namesOf([first.hit], project, options, context) : [];
  const by = sources.length === 0 ? '' : `, listed by ${sources.join(', ')}`;
  const more =
    hits.length === 1 ? '' : `; and ${hits.length - 1} more: ${hits.slice(1, 4).map(lockoutWords).join('; ')}`;
  throw new BlocklistError('lockout', `the rules would drop ${lockoutWords(first)}${by}${more}; nothing was changed`, {
    where,
    hint: `${commandLine(context, options, `allow ${formatPrefix(first.prefix)}`)} lets it through on this host; allow.files does on all`,
  });
}
