import { BlocklistError } from '../../errors.js';
import { type Prefix, parsePrefix } from '../../ip/index.js';

/** The address or network that a program wrote down; undefined when the text is none. */
export function prefixOf(text: string): Prefix | undefined {
  try {
    return parsePrefix(text);
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}
