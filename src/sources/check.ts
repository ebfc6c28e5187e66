import type { Config } from '../config/load.js';
import { BlocklistError } from '../errors.js';
import { allowFeeds, blockFeeds, customSpecs } from './configured.js';
import { readCatalogue } from './feeds/catalogue.js';
import { databaseRequests } from './geo/specs.js';

/** What is wrong with the sources that a configuration names: a feed that nobody knows, a key file that is open to all. Fetches nothing. */
export async function sourceProblem(config: Config): Promise<BlocklistError | undefined> {
  try {
    const catalogue = await readCatalogue();
    await Promise.all([
      blockFeeds(config, catalogue),
      allowFeeds(config, catalogue),
      customSpecs(config),
      databaseRequests(config),
    ]);
    return undefined;
  } catch (error) {
    if (error instanceof BlocklistError) return error;
    throw error;
  }
}
