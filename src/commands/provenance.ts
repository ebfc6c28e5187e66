import { stat } from 'node:fs/promises';
import { readManifest } from '../apply/artefact-store.js';
import { BlocklistError } from '../errors.js';
import type { Address, Prefix } from '../ip/index.js';
import type { GeoLookup } from '../sources/geo/lookup.js';
import type { Holding, NamedSource, Unread } from '../sources/holding.js';
import { type HoldingEnvironment, holdingsOf, regionsOf } from '../sources/holdings.js';
import type { Context, GlobalOptions } from './context.js';
import type { Project } from './project.js';

/**
 * Which sources list each address, by what the last update left on this host. Empty where that cannot be told: a host that only loads what
 * another one built.
 */
export async function namesOf(
  addresses: readonly Address[],
  project: Project,
  options: GlobalOptions,
  context: Context,
): Promise<string[][]> {
  if (addresses.length === 0) return [];
  const blocks = addresses.map(({ family, words }) => ({ family, words, length: family.bits }));
  const held = await heldOf(blocks, project, options, context);
  return blocks.map((block) => held.filter((source) => source.partOf(block) !== undefined).map(({ id }) => id));
}

/** None where sources cannot be told: an apply goes on without their names. */
async function heldOf(
  blocks: readonly Prefix[],
  project: Project,
  options: GlobalOptions,
  context: Context,
): Promise<readonly Holding[]> {
  try {
    return (await openHoldings(project, blocks, options, context)).held;
  } catch (error) {
    if (error instanceof BlocklistError) return [];
    throw error;
  }
}

/** What can be asked about addresses, and what cannot be looked into. */
export interface OpenHoldings {
  readonly held: readonly Holding[];
  readonly unread: readonly Unread[];
  readonly geo: () => Promise<GeoLookup>;
}

/** The sources of the rules, or of the configuration where there are no rules. Only reads what the update of this host left, whoever ran it. */
export async function openHoldings(
  project: Project,
  blocks: readonly Prefix[],
  options: GlobalOptions,
  context: Context,
): Promise<OpenHoldings> {
  const { config, cache, updateState } = project;
  let opened: Promise<GeoLookup> | undefined;
  const geo = () => {
    opened ??= import('../sources/geo/lookup.js').then(({ openGeo }) => openGeo(config, cache));
    return opened;
  };
  const load: HoldingEnvironment['load'] = (ids) => loadWhole(ids, project, options, context);
  const asked = blocks.every(({ family, length }) => length === family.bits) ? 'addresses' : 'blocks';
  const regions = regionsOf(blocks, config);
  const sources = await namedSources(project, options, context);
  return { ...(await holdingsOf(sources, config, { cache, state: updateState, regions, geo, asked, load })), geo };
}

async function namedSources(
  project: Project,
  options: GlobalOptions,
  context: Context,
): Promise<readonly NamedSource[]> {
  const manifest = await readManifest(project.config.paths.rules);
  if (manifest !== undefined) return manifest.sources;
  const { OFFLINE, withSources } = await import('./gather.js');
  return withSources(project, OFFLINE, { ...options, quiet: true }, context, async ({ block }) => block);
}

async function loadWhole(ids: readonly string[], project: Project, options: GlobalOptions, context: Context) {
  // Loading may also write what it made of the data: root does not write where another user could lay links.
  if (context.uid === 0 && !(await isOwn(project.cache)))
    return ids.map((id) => ({ id, problem: notForRoot(project) }));
  const [{ OFFLINE, withSources }, { loadSources }] = await Promise.all([
    import('./gather.js'),
    import('../sources/index.js'),
  ]);
  return withSources(project, OFFLINE, { ...options, quiet: true }, context, async ({ block }) => {
    const { loaded, missing } = await loadSources(
      block.filter(({ id }) => ids.includes(id)),
      () => 'avoid',
    );
    return [...loaded, ...missing];
  });
}

function notForRoot({ cache }: Project): BlocklistError {
  return new BlocklistError(
    'no-permission',
    'for a whole network it is not looked into as root, beside files of another user',
    {
      where: cache,
      hint: 'ask for a single address, or as the user that runs the update',
    },
  );
}

async function isOwn(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).uid === 0;
  } catch {
    return false;
  }
}
