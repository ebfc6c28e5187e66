import { canonicalAddress } from '../ip/index.js';

/** Who is at the other end: an address in canonical form, or the text that stands in its place. */
export interface Peer {
  readonly address?: string | undefined;
  readonly peer?: string | undefined;
}

/** What a record says of the other end. A name stays one and is never resolved: whoever owns the address chooses its name. */
export function peerOf(text: string): Peer {
  if (text === '') return {};
  const address = canonicalAddress(text);
  return address === undefined ? { peer: text } : { address };
}
