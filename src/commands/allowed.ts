import { dirname, relative } from 'node:path';
import { loadedManifest } from '../apply/kept.js';
import type { Config } from '../config/load.js';
import { BlocklistError } from '../errors.js';
import { formatPrefix, IpSet, type Prefix, partIn, setOfBlock } from '../ip/index.js';
import { type AllowedList, allowedIn, type Manifest } from '../render/manifest.js';
import { type Context, shortPath } from './context.js';
import { readAllowList } from './lists.js';
import type { Project } from './project.js';

/** Where it stands: in a file of this host, or in the rules alone. */
interface Known extends AllowedList {
  readonly from: 'file' | 'rules';
}

/** Whom the configuration and the loaded rules allow, as far as this host knows. */
export interface ConfiguredAllow {
  readonly lists: readonly Known[];
  readonly all: IpSet;
  /** a file that cannot be read as a whole: its other lines count, and what it held when the loaded rules were rendered */
  readonly unread: BlocklistError | undefined;
  /** a list of which that is not known, either: nobody can tell whom it protects */
  readonly unknown: BlocklistError | undefined;
}

/**
 * `allow.files` as they are now, and what else was allowed when the loaded rules were rendered, here or elsewhere: a host that only loads never saw
 * the feeds.
 * @param loading the rules that are about to be loaded, in place of those that are
 */
export async function configuredAllow(
  { config, bansState }: Project,
  context: Context,
  loading?: Manifest,
): Promise<ConfiguredAllow> {
  const loaded = loading ?? (await loadedManifest(bansState));
  const rendered = typeof loaded === 'object' ? allowedIn(loaded) : [];
  const lists: Known[] = [];
  let unread: BlocklistError | undefined;
  let unknown = loaded === 'damaged' ? copyDamaged(bansState) : undefined;
  const own = new Set(config.allow.files.map((path) => allowFileId(config, path)));
  for (const path of config.allow.files) {
    const { set, problem } = await readAllowList(path);
    const before = problem && rendered.find(({ id }) => id === allowFileId(config, path));
    const all = before === undefined ? set : set.union(before.set);
    lists.push({ id: shortPath(context, path), set: all, from: 'file' });
    unread ??= problem;
    if (before === undefined) unknown ??= problem;
  }
  lists.push(...rendered.filter(({ id }) => !own.has(id)).map((list): Known => ({ ...list, from: 'rules' })));
  // Before the first load no ban is in force.
  if (typeof loaded === 'object') unknown ??= notRendered(config, rendered);
  return { lists, all: IpSet.unionOf(lists.map(({ set }) => set)), unread, unknown };
}

/** What the manifest calls a file of `allow.files`: the same on every machine. */
export function allowFileId({ file }: Config, path: string): string {
  return relative(dirname(file), path);
}

function copyDamaged(where: string): BlocklistError {
  return new BlocklistError('state-invalid', 'the copy of the loaded rules is damaged', {
    where,
    hint: 'run: blocklist apply',
  });
}

/** A feed that the configuration names and the loaded rules do not know. */
function notRendered({ allow }: Config, rendered: readonly AllowedList[]): BlocklistError | undefined {
  const named = allow.feeds.map((entry) => (typeof entry === 'string' ? entry : entry.id));
  const missing = named.find((name) => !rendered.some(({ id }) => id === name));
  if (missing === undefined) return undefined;
  return new BlocklistError(
    'source-never-fetched',
    `the loaded rules were rendered without the allow feed ${missing}`,
    {
      where: missing,
      hint: 'run blocklist update where the rules are rendered, then blocklist apply here',
    },
  );
}

/** @throws BlocklistError `ban-allowed` naming the list: what the configuration allows is not to be banned */
export function requireNotAllowed(wanted: IpSet, { lists }: ConfiguredAllow): void {
  for (const { id, set, from } of lists) {
    const [hit] = wanted.intersect(set).prefixes();
    if (hit === undefined) continue;
    throw new BlocklistError('ban-allowed', `${formatPrefix(hit)} is allowed by ${id}; nothing was changed`, {
      where: id,
      hint: `ban the addresses around it, or take it out of there${from === 'file' ? '' : '; the loaded rules change with the next apply'}`,
    });
  }
}

/** @throws BlocklistError `allow-unknown`: who cannot be told from one whom a list allows is not banned */
export function requireAllowKnown({ unknown }: ConfiguredAllow): void {
  if (unknown === undefined) return;
  const { message, where, hint } = unknown;
  throw new BlocklistError('allow-unknown', `whom a ban must spare is not known: ${message}; nothing was changed`, {
    ...(where === undefined ? {} : { where }),
    ...(hint === undefined ? {} : { hint }),
    cause: unknown,
  });
}

/** What to say of a list that stood in for itself, in words. */
export function doubtsOf({ unread }: ConfiguredAllow): string[] {
  if (unread === undefined) return [];
  const held = 'what else it holds counts, and what it held when the loaded rules were rendered';
  return [`a list of allowed addresses cannot be read: ${unread.message}; ${held}`];
}

/** The same networks without what is allowed. */
export function withoutAllowed(prefix: Prefix, all: IpSet): readonly Prefix[] {
  return partIn(all, prefix).isEmpty ? [prefix] : [...setOfBlock(prefix).subtract(all).prefixes()];
}
