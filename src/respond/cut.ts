import { cutConnections, type Ended } from '../apply/sessions.js';
import { BlocklistError } from '../errors.js';
import { ownAddresses } from '../host/addresses.js';
import type { Flow } from '../host/flow-line.js';
import { flows, removeFlow } from '../host/flows.js';
import { isLoopback } from '../host/single.js';
import { closeSocket, type Socket } from '../host/sockets.js';
import { sshPeers } from '../host/ssh.js';
import { formatPrefix, IpSet } from '../ip/index.js';
import type { Lockdown } from './lockdown.js';

/** What a lockdown does to the connections that are there. */
export interface Cut {
  /** sessions of SSH from addresses that are not allowed: they are ended */
  readonly ssh: readonly Socket[];
  /** everything else that the rules cut off; their sockets die by their own time */
  readonly others: readonly Socket[];
  /** sessions of SSH that come through the loopback interface, which is never cut: a tunnel of somebody */
  readonly inside: readonly Socket[];
}

/** @throws BlocklistError `program-missing`, `program-failed` */
export async function connectionsCut({ allow, ports, cutOutbound }: Omit<Lockdown, 'seconds'>): Promise<Cut> {
  const [own, admins] = [IpSet.from(await ownAddresses()), IpSet.from(allow)];
  const isInside = ({ peer }: Pick<Socket, 'peer'>) => isLoopback(peer.address) || own.has(peer.address);
  const [connected, sessions] = await Promise.all([
    cutConnections((address, port) =>
      port === undefined ? cutOutbound : !(admins.has(address) && ports.includes(port)),
    ),
    sshPeers(),
  ]);
  const ssh = sessions.filter((socket) => !isInside(socket) && !admins.has(socket.peer.address));
  const ended = new Set(ssh.map(endsText));
  return {
    ssh,
    others: connected.filter((socket) => !isInside(socket) && !ended.has(endsText(socket))),
    inside: sessions.filter(isInside),
  };
}

function endsText({ local, peer }: Socket): string {
  return `${local.text} ${peer.text}`;
}

/** Each removal walks the kernel's whole table, 0.3 s in a large one. What is left dies by its own time: nothing of it passes. */
const MOST_FLOWS = 100;

/** Closes these sockets, then forgets their tracked connections. What fails here is told and not thrown: the rules stand. */
export async function endSockets(sockets: readonly Socket[]): Promise<Omit<Ended, 'ssh'>> {
  const closed: Socket[] = [];
  const refused: Socket[] = [];
  let count = 0;
  try {
    for (const socket of sockets) {
      const how = await closeSocket(socket);
      if (how === 'closed') closed.push(socket);
      if (how === 'refused') refused.push(socket);
    }
    const list = closed.length === 0 ? undefined : await flows((flow) => closed.some((socket) => isOf(flow, socket)));
    const tracked = list?.isAvailable === true ? list.flows : [];
    for (const flow of tracked.slice(0, MOST_FLOWS)) count += (await removeFlow(flow)) === 'removed' ? 1 : 0;
    return { closed, refused, flows: count, problem: undefined };
  } catch (problem) {
    if (problem instanceof BlocklistError) return { closed, refused, flows: count, problem };
    throw problem;
  }
}

/** Whoever of both is written down as its begin. What a client connects to may be translated to where the server listens. */
function isOf({ protocolNumber, source, destination, ports }: Flow, { local, peer }: Socket): boolean {
  if (protocolNumber !== TCP) return false;
  const there = formatPrefix(peer.address);
  return (
    (formatPrefix(source) === there && ports?.source === peer.port) ||
    (formatPrefix(destination) === there && ports?.destination === peer.port && ports.source === local.port)
  );
}

/** IANA protocol number */
const TCP = 6;

/** The port that the client of this connection asked for: another one than the server's where it is translated (NAT). Undefined where nobody tells. */
export async function portAsSent({ peer }: Socket): Promise<number | undefined> {
  const there = formatPrefix(peer.address);
  const list = await flows(
    ({ protocolNumber, source, ports }) =>
      protocolNumber === TCP && ports?.source === peer.port && formatPrefix(source) === there,
  );
  return list.isAvailable ? list.flows[0]?.ports?.destination : undefined;
}
