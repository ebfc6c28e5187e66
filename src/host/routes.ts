import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { formatPrefix, type Prefix } from '../ip/index.js';
import { askJson } from './ask.js';

const routeSchema = z.array(z.looseObject({ dev: z.string().optional() }));

/**
 * The interface by which this host reaches a single address; undefined where there is no way.
 * @throws BlocklistError `program-missing`.
 */
export async function interfaceTo(address: Prefix): Promise<string | undefined> {
  try {
    return (await askJson(['ip', '-j', 'route', 'get', formatPrefix(address)], routeSchema))[0]?.dev;
  } catch (error) {
    if (error instanceof BlocklistError && error.code === 'program-failed') return undefined;
    throw error;
  }
}
