import { readManifest } from '../apply/artefact-store.js';
import { BlocklistError } from '../errors.js';
import type { Address, Prefix } from '../ip/index.js';
import type { GeoLookup } from '../sources/geo/lookup.js';
import type { Holding, NamedSource, Unread } from '../sources/holding.js';
import { holdingsOf, regionsOf } from '../sources/holdings.js';
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
  const asked = blocks.every(({ family, length }) => length === family.bits) ? 'addresses' : 'blocks';
  const regions = regionsOf(blocks, config);
  const sources = await namedSources(project, options, context);
  return { ...(await holdingsOf(sources, config, { cache, state: updateState, regions, geo, asked })), geo };
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
