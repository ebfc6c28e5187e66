import type { RuleSets } from '../build/build.js';
import type { Policy } from '../build/policy.js';
import { BlocklistError } from '../errors.js';
import type { Flow } from '../host/flow-line.js';
import { flows, removeFlow, removeFlowsOf } from '../host/flows.js';
import { closeSocket, type Socket, sockets } from '../host/sockets.js';
import { listenLines } from '../host/ss.js';
import { sshPeers } from '../host/ssh.js';
import { type FourSets, formatPrefix, type IpSet, overlapping, type Prefix, SET_KEYS } from '../ip/index.js';
import { DEFAULT_POLICY } from '../render/default-policy.js';
import type { Content } from './differences.js';
import { sparedBy } from './spared.js';

/**
 * Whether the rules drop what comes from, or goes to, a single address.
 * @param port to which it came; undefined: this host began, or it is not known who did
 */
export type IsDropped = (address: Prefix, port?: number) => boolean;

/** Everything that is dropped by what is listed, banned here, or kept out by `only`, without what is allowed here. */
export function droppedBy({ sets }: Pick<Content, 'sets'>, banned: IpSet, allowed: IpSet): IsDropped {
  const policy = sets.policy ?? DEFAULT_POLICY;
  const isListed = (four: FourSets | undefined, address: Prefix) =>
    four !== undefined && SET_KEYS.some((key) => overlapping(four[key], address) !== undefined);
  return (address, port) => {
    if (allowed.has(address)) return false;
    if (banned.has(address) || isKeptOut(sets, address, port)) return true;
    const isIn = isListed(sets.in, address);
    const isOut = isListed(sets.out, address) || (isIn && policy.alsoOutbound);
    return (isOut && policy.drop === 'all') || (isIn && isEnded(policy, port));
  };
}

/** Whether a connection with somebody who is listed as a sender goes: `new` spares what this host began, and answers come to ports that `ports` does not name. */
function isEnded({ drop, ports }: Policy, port: number | undefined): boolean {
  return port === undefined ? drop === 'all' && ports.length === 0 : ports.length === 0 || ports.includes(port);
}

function isKeptOut({ only }: RuleSets, address: Prefix, port: number | undefined): boolean {
  if (only === undefined || port === undefined) return false;
  if (only.ports.length > 0 && !only.ports.includes(port)) return false;
  return overlapping(address.family.version === 4 ? only.nets4 : only.nets6, address) === undefined;
}

/**
 * The connections of this host that the rules cut.
 * @param skipped interfaces that the rules pass by
 */
export async function cutConnections(isDropped: IsDropped, skipped: readonly string[] = []): Promise<Socket[]> {
  const [connected, listening] = await Promise.all([sockets(), listenLines()]);
  const served = new Set(listening.map(({ port }) => port));
  const cut = connected.filter(({ local, peer }) =>
    isDropped(peer.address, served.has(local.port) ? local.port : undefined),
  );
  const isSpared = await sparedBy(
    cut.map(({ peer }) => peer.address),
    skipped,
  );
  return cut.filter(({ peer }) => !isSpared(peer.address));
}

export interface Ended {
  readonly closed: readonly Socket[];
  /** those of them that were sessions of SSH clients: somebody was logged in from a listed address */
  readonly ssh: readonly Socket[];
  /** still there although the kernel was asked: built without INET_DIAG_DESTROY, or we lack the right */
  readonly refused: readonly Socket[];
  /** tracked connections that were forgotten, those of guests and of forwarded traffic, too */
  readonly flows: number;
  /** why not all were looked for or ended; the rules hold all the same */
  readonly problem: BlocklistError | undefined;
}

export const NOTHING_ENDED: Ended = { closed: [], ssh: [], refused: [], flows: 0, problem: undefined };

/** Each removal walks the kernel's whole table, 0.3 s in a large one. What is left dies by its own time: nothing of it passes. */
const MOST_ADDRESSES = 100;

/**
 * Ends what a drop alone leaves standing for hours: the sockets of listed peers are closed one by one, then the tracked connections from or to
 * them are forgotten, so that none goes on as established past another firewall. What fails here is told and not thrown: the rules are loaded.
 */
export async function endSessions(isDropped: IsDropped, skipped: readonly string[] = []): Promise<Ended> {
  try {
    return await end(isDropped, skipped);
  } catch (problem) {
    if (problem instanceof BlocklistError) return { ...NOTHING_ENDED, problem };
    throw problem;
  }
}

async function end(isDropped: IsDropped, skipped: readonly string[]): Promise<Ended> {
  const [connections, tracked] = await Promise.all([
    cutConnections(isDropped, skipped),
    droppedFlows(isDropped, skipped),
  ]);
  const isSsh = await sshSessions(connections);
  const closed: Socket[] = [];
  const refused: Socket[] = [];
  for (const socket of connections) {
    const how = await closeSocket(socket);
    if (how === 'closed') closed.push(socket);
    if (how === 'refused') refused.push(socket);
  }
  return { closed, ssh: closed.filter(isSsh), refused, flows: await forget(tracked, isDropped), problem: undefined };
}

async function sshSessions(connections: readonly Socket[]): Promise<(socket: Socket) => boolean> {
  if (connections.length === 0) return () => false;
  const ends = ({ local, peer }: Socket) => `${local.text} ${peer.text}`;
  const known = new Set((await sshPeers()).map(ends));
  return (socket) => known.has(ends(socket));
}

async function droppedFlows(isDropped: IsDropped, skipped: readonly string[]): Promise<readonly Flow[]> {
  const list = await flows((flow: Flow) => isFromDropped(flow, isDropped) || isDropped(flow.destination));
  if (!list.isAvailable) return [];
  const far = (flow: Flow) => (isFromDropped(flow, isDropped) ? flow.source : flow.destination);
  const isSpared = await sparedBy(list.flows.map(far), skipped);
  return list.flows.filter((flow) => !isSpared(far(flow)));
}

/** A flow is written down as its first packet had it: its source is who began. Protocols without ports stand for any. */
function isFromDropped({ source, ports }: Flow, isDropped: IsDropped): boolean {
  return isDropped(source, ports?.destination ?? 0);
}

async function forget(tracked: readonly Flow[], isDropped: IsDropped): Promise<number> {
  const sides = new Map<string, { readonly address: Prefix; readonly side: 'source' | 'destination'; flows: Flow[] }>();
  for (const flow of tracked) {
    const side = isFromDropped(flow, isDropped) ? 'source' : 'destination';
    const key = `${side} ${formatPrefix(flow[side])}`;
    const mine = sides.get(key) ?? { address: flow[side], side, flows: [] };
    mine.flows.push(flow);
    sides.set(key, mine);
  }
  let count = 0;
  for (const { address, side, flows: mine } of [...sides.values()].slice(0, MOST_ADDRESSES)) {
    // To other ports the address may come: its flows there stay.
    if (mine.length > 1 && isDropped(address)) count += await removeFlowsOf(address, side);
    else for (const flow of mine.slice(0, MOST_ADDRESSES)) count += (await removeFlow(flow)) === 'removed' ? 1 : 0;
  }
  return count;
}
