import { operatorPrefix } from '../config/operator.js';
import { BlocklistError } from '../errors.js';
import type { Prefix } from '../ip/index.js';

/** Addresses and nets as a person typed them. @throws BlocklistError `bad-usage` */
export function namedPrefixes(texts: readonly string[]): Prefix[] {
  return texts.map((text) => {
    const read = operatorPrefix(text);
    if (read.ok) return read.prefix;
    throw new BlocklistError('bad-usage', read.problem, {
      hint: 'name addresses or networks: 203.0.113.7 2001:db8::/32',
    });
  });
}
