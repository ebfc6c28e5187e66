import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { BlocklistError } from '../errors.js';
import { parseAddress, specialPurpose } from '../ip/index.js';

/**
 * Which machines may be asked. Lists come from the public internet: a name that leads to a private or loopback address, by DNS
 * or by a redirect, would make us ask services of this host and its network in our name.
 */

let special: ReturnType<typeof specialPurpose> | undefined;

/** Whether a textual address is one of the public internet. */
export function isPublic(address: string): boolean {
  special ??= specialPurpose();
  // Link-local addresses may carry a zone, which is no part of the address.
  return !special.has(address.replace(/%.*$/, ''));
}

/** The address in the host part of a URL, or undefined when the host is a name. */
export function addressOf({ hostname }: URL): string | undefined {
  const text = hostname.replace(/^\[(.*)\]$/, '$1');
  try {
    parseAddress(text);
    return text;
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}

export function privateTarget(host: string, address: string, where: string): BlocklistError {
  const how = host === address ? host : `${host}, which is ${address}`;
  return new BlocklistError('http-refused', `refused to ask ${how}: not an address of the public internet`, {
    where,
    hint: 'if a list of your own network is meant, name this very address as a custom source',
  });
}

/** As dns.lookup, without the addresses that are not public; fails when none is left. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    const [first] = found ?? [];
    if (error !== null || first === undefined) return callback(error ?? nothingFound(hostname), '', 4);
    const usable = found.filter(({ address }) => isPublic(address));
    const [chosen] = usable;
    if (chosen === undefined) return callback(privateTarget(hostname, first.address, hostname), '', 4);
    if (options.all === true) callback(null, usable);
    else callback(null, chosen.address, chosen.family);
  });
};

function nothingFound(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`no address is known for ${hostname}`), { code: 'ENOTFOUND' });
}
