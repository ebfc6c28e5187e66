import { createRequire } from 'node:module';
import type * as IpCidr from 'ip-cidr';
import type * as IpAddr from 'ipaddr.js';
import { BlocklistError } from '../errors.js';
import { formatPrefix, type Prefix, parsePrefix } from '../ip/index.js';

/** Loaded for a mistake alone: every command would start 10 ms later. */
const loaded = <T>(name: string) => createRequire(import.meta.filename)(name) as T;
const ipaddr = () => loaded<typeof IpAddr>('ipaddr.js');
const cidr = (block: string) => new (loaded<typeof IpCidr>('ip-cidr').default)(block);

export type OperatorPrefix =
  | { readonly ok: true; readonly prefix: Prefix }
  | { readonly ok: false; readonly problem: string };

/**
 * An address or block that a person typed. As strict as the parser of feeds, and stricter on host bits: in a feed
 * `203.0.113.5/24` is a habit, typed by hand it is a mistake in one of its two halves. What went wrong is explained with the libraries
 * that read addresses as leniently as other programs do.
 */
export function operatorPrefix(text: string): OperatorPrefix {
  let prefix: Prefix;
  try {
    prefix = parsePrefix(text);
  } catch (error) {
    if (!(error instanceof BlocklistError)) throw error;
    return { ok: false, problem: `${error.message}${lenientReading(text)}` };
  }
  const bare = text.split('/')[0] ?? '';
  if (!text.includes('/') || isSameAddress(bare, prefix)) return { ok: true, prefix };
  const block = formatPrefix(prefix);
  const [from, to] = cidr(block).toRange();
  return {
    ok: false,
    problem: `${text} has host bits set: as a block it covers ${from} to ${to}; write ${block} for the block or ${bare} for one address`,
  };
}

/** How a lenient program would read a text that we refuse: `010.0.0.1` is 8.0.0.1 for them. */
function lenientReading(text: string): string {
  if (text.includes('/') || !ipaddr().isValid(text)) return '';
  const read = ipaddr().parse(text).toString();
  return read === text ? '' : ` (other programs read it as ${read}: write that, or what you meant)`;
}

function isSameAddress(text: string, { family, words }: Prefix): boolean {
  const address = parsePrefix(text);
  return address.family === family && address.words.every((word, k) => word === words[k]);
}
