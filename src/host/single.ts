import { IpSet, type Prefix, singleAddress } from '../ip/index.js';

const LOOPBACK = IpSet.from(['127.0.0.0/8', '::1']);
const NOT_A_HOST = IpSet.from([
  // this network and the unspecified address (RFC 791, RFC 4291), link-local (RFC 3927, RFC 4291), multicast
  '0.0.0.0/8',
  '::',
  '169.254.0.0/16',
  'fe80::/10',
  '224.0.0.0/4',
  'ff00::/8',
]);

export function isLoopback(address: Prefix): boolean {
  return LOOPBACK.has(address);
}

/** The addresses that a list could name and hit: without loopback, link-local, multicast and unspecified ones, each once. */
export function reachable(texts: Iterable<string>): Prefix[] {
  const found: Prefix[] = [];
  const seen = new Set<string>();
  for (const text of texts) {
    const address = singleAddress(text);
    if (address === undefined || isLoopback(address) || NOT_A_HOST.has(address)) continue;
    const key = address.words.join(' ');
    if (seen.has(key)) continue;
    seen.add(key);
    found.push(address);
  }
  return found;
}
