import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { type Address, formatAddress } from '../ip/index.js';
import { askJson } from './ask.js';

const routeSchema = z.array(z.looseObject({ dev: z.string().optional() }));

/**
 * The interface by which this host reaches an address; undefined where there is no way.
 * @throws BlocklistError `program-missing`.
 */
export async function interfaceTo({ family, words }: Address): Promise<string | undefined> {
  try {
    return (await askJson(['ip', '-j', 'route', 'get', formatAddress(family, words)], routeSchema))[0]?.dev;
  } catch (error) {
    if (error instanceof BlocklistError && error.code === 'program-failed') return undefined;
    throw error;
  }
}
