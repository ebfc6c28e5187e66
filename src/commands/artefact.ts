import type { Artefact } from '../apply/artefact.js';
import { readArtefact } from '../apply/artefact-store.js';
import { type PlausibleLimits, requirePlausibleArtefact } from '../apply/plausible.js';
import { readUnchanged } from '../apply/unchanged.js';
import type { Config } from '../config/load.js';
import { requireTrusted } from '../config/owner.js';
import { BlocklistError } from '../errors.js';
import { IpSet } from '../ip/index.js';
import { allowedIn } from '../render/manifest.js';
import { requireNarrow } from '../sources/guards.js';
import { allowFileId } from './allowed.js';
import { type Context, shortPath } from './context.js';
import { neverBlock } from './lists.js';
import { foldersOf, owners, type Project } from './project.js';

/** An artefact that may be loaded, and what it is called in words. */
export interface Loadable {
  readonly artefact: Artefact;
  /** `rules` or `main (commit 1a2b3c4)` */
  readonly title: string;
  /** holds it to the limits of this host, whoever made it. @throws BlocklistError `coverage-limit`, `never-block`, `rules-too-wide` */
  readonly prove: () => Promise<void>;
}

/** The artefact that an apply loads, read strictly. */
export async function artefactOf(
  { ref }: { readonly ref?: string },
  { config, state }: Project,
  context: Context,
): Promise<Loadable> {
  const { rules } = config.paths;
  if (ref === undefined) {
    const artefact = (await readUnchanged(state, rules)) ?? (await readArtefact(rules));
    return loadable(artefact, shortPath(context, rules), config, context);
  }
  const { readArtefactAt } = await import('../apply/git-ref.js');
  const artefact = await readArtefactAt(ref, rules);
  return loadable(artefact, `${ref} (commit ${artefact.commit.slice(0, 7)})`, config, context);
}

export function loadable(artefact: Artefact, title: string, config: Config, context: Context): Loadable {
  const prove = async () => {
    requireNarrowAllow(artefact, config);
    await requirePlausibleArtefact(artefact.sets, await limitsOf(config, context));
  };
  return { artefact, title, prove };
}

/** Rules that allow half of the internet would take every ban of this host out of force. Its own files may allow what they like. */
function requireNarrowAllow({ manifest, folder }: Artefact, config: Config): void {
  const own = config.allow.files.map((path) => allowFileId(config, path));
  for (const { id, set } of allowedIn(manifest)) {
    if (own.includes(id)) continue;
    try {
      requireNarrow(set, config.guards['max-allow-coverage'], `${folder}: ${id}`);
    } catch (cause) {
      if (!(cause instanceof BlocklistError)) throw cause;
      const { message, where = id, hint = '' } = cause;
      const words = `the rules have an allow list, ${id}: ${message}; nothing was changed`;
      throw new BlocklistError('coverage-limit', words, { where, hint, cause });
    }
  }
}

/** As a build judges: whole countries and networks may cover more than feeds. */
async function limitsOf(config: Config, context: Context): Promise<PlausibleLimits> {
  const { guards, sources } = config;
  const { block, unknown } = sources.countries;
  const isWhole = block.length > 0 || unknown === 'drop' || sources.asns.length > 0;
  const key = isWhole ? 'max-country-coverage' : 'max-coverage';
  return {
    coverage: { share: guards[key], key },
    widest: { v4: guards['max-prefix-v4'], v6: guards['max-prefix-v6'] },
    wider: async () => {
      const { widestAllowed } = await import('../sources/widest.js');
      return { widest: await widestAllowed(config), places: isWhole ? await placesOf(config, context) : IpSet.empty };
    },
    neverBlock: await neverBlock(),
  };
}

/** Addresses of the countries and networks that are blocked as a whole, by what root may believe of the databases of this host. */
async function placesOf(config: Config, context: Context): Promise<IpSet> {
  const { placesOnDisk } = await import('../sources/geo/places.js');
  const { cache } = await foldersOf(config, context);
  return placesOnDisk(config, cache, async (paths) => {
    if (context.uid !== 0) return true;
    try {
      requireTrusted(paths, owners(context));
      return true;
    } catch (error) {
      if (error instanceof BlocklistError && error.code === 'config-owner') return false;
      throw error;
    }
  });
}
