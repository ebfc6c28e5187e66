import type { Flow } from '../host/flow-line.js';
import { flows, removeFlow } from '../host/flows.js';
import { closeSocket, type Socket, sockets } from '../host/sockets.js';
import { IpSet, type Prefix } from '../ip/index.js';
import { namedSets } from '../render/layout.js';
import type { Content } from './differences.js';

/** Whose packets the loaded rules drop: everything listed or banned here, without what is allowed here. */
export function droppedPeers({ sets }: Content, banned: IpSet, allowed: IpSet): IpSet {
  return IpSet.unionOf([banned, ...namedSets(sets).map(({ prefixes }) => IpSet.ofPrefixes(prefixes))]).subtract(
    allowed,
  );
}

/** The connections of this host that the rules cut. */
export async function cutConnections(dropped: IpSet): Promise<Socket[]> {
  return (await sockets()).filter(({ peer }) => covers(dropped, peer.address));
}

function covers(set: IpSet, prefix: Prefix): boolean {
  return set.has(prefix);
}

export interface Ended {
  readonly closed: readonly Socket[];
  /** still there although the kernel was asked: built without INET_DIAG_DESTROY, or we lack the right */
  readonly refused: readonly Socket[];
  /** tracked connections that were forgotten, those of guests and of forwarded traffic, too */
  readonly flows: number;
}

/**
 * Ends what a drop alone leaves standing for hours: the sockets of listed peers are closed one by one, then the tracked connections from or to
 * them are forgotten, so that none goes on as established past another firewall.
 */
export async function endSessions(dropped: IpSet, connections: readonly Socket[]): Promise<Ended> {
  const closed: Socket[] = [];
  const refused: Socket[] = [];
  for (const socket of connections) {
    const how = await closeSocket(socket);
    if (how === 'closed') closed.push(socket);
    if (how === 'refused') refused.push(socket);
  }
  return { closed, refused, flows: await forget(dropped) };
}

async function forget(dropped: IpSet): Promise<number> {
  const isListed = ({ source, destination }: Flow) => covers(dropped, source) || covers(dropped, destination);
  const list = await flows(isListed);
  if (!list.isAvailable) return 0;
  let count = 0;
  for (const flow of list.flows.slice(0, MOST_FLOWS)) if ((await removeFlow(flow)) === 'removed') count++;
  return count;
}

/** Each removal walks the kernel's whole table; the rest dies by its own time, as nothing of it passes any more. */
const MOST_FLOWS = 200;
