import { interfaceTo } from '../host/routes.js';
import { formatPrefix, type Prefix } from '../ip/index.js';

/** Each is asked of the kernel's routes, some milliseconds. Of more, the others are taken for reached elsewhere. */
const MOST_ASKED = 1000;

/**
 * Whether an address is reached by an interface that the rules pass by: what comes from there is not dropped, and its sessions stay.
 * @param addresses those that will be asked for
 * @param skipped names of interfaces, a star at the end stands for the rest of one
 */
export async function sparedBy(
  addresses: readonly Prefix[],
  skipped: readonly string[],
): Promise<(address: Prefix) => boolean> {
  if (skipped.length === 0) return () => false;
  const spared = new Set<string>();
  const asked = new Map(addresses.map((address) => [formatPrefix(address), address]));
  for (const [text, address] of [...asked].slice(0, MOST_ASKED)) {
    const name = await interfaceTo(address);
    if (name !== undefined && skipped.some((each) => isNamed(name, each))) spared.add(text);
  }
  return (address) => spared.has(formatPrefix(address));
}

function isNamed(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
