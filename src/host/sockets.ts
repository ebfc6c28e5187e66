import { run } from '../io/run.js';
import { type Process, socketOwners } from './processes.js';
import { connectedLines, type EndpointParts, endpointParts, parseEndpoint, type SocketLine } from './ss.js';

/** A socket with a peer: TCP in any state of a connection, or connected UDP. */
export interface Socket extends Omit<SocketLine, 'inode'> {
  /** who holds it; empty when nobody does any more, or when we have no right to see it */
  readonly processes: readonly Process[];
}

/**
 * The connected sockets of this network namespace and who holds them. Left out are listening, closed and TIME-WAIT sockets and
 * half-open ones (SYN-RECV), whose sender is not proven. Subflows of MPTCP are there as TCP.
 * @throws BlocklistError `program-missing`, `program-failed`.
 */
export async function sockets(): Promise<Socket[]> {
  const lines = await connectedLines();
  const owners = socketOwners(new Set(lines.map(({ inode }) => inode).filter((inode) => inode !== 0)));
  return lines.map(({ inode, ...line }) => ({ ...line, processes: owners.get(inode) ?? [] }));
}

/** `closed`: by us, now. `gone`: there was none any more. `refused`: it is still there. */
export type Closing = 'closed' | 'gone' | 'refused';

/**
 * Closes one socket: the process that holds it reads ECONNABORTED, a TCP peer gets a RST (tcp_abort, net/ipv4/tcp.c).
 * ss prints each socket that it closed, and answers 0 also when it found none, when it has no right (CAP_NET_ADMIN) and when the kernel was
 * built without CONFIG_INET_DIAG_DESTROY. So what it printed counts, and after that whether the socket is still there.
 * @throws BlocklistError `program-missing`, `program-timeout`.
 */
export async function closeSocket(socket: Pick<Socket, 'protocol' | 'local' | 'peer'>): Promise<Closing> {
  const filter = exactFilter(socket);
  const flag = socket.protocol === 'tcp' ? 't' : 'u';
  const closing = await run(['ss', `-H${flag}nK`, ...filter]);
  if (closing.stdout.toString('utf8').trim() !== '') return 'closed';
  const { status, stdout } = await run(['ss', `-H${flag}n`, ...filter]);
  return status === 0 && stdout.toString('utf8').trim() === '' ? 'gone' : 'refused';
}

/**
 * The filter of ss(8) for exactly this socket. A filter that lacks a part would close other people's connections, so a text that is
 * not an address and a port is a fault of ours and ends here.
 */
export function exactFilter({ local, peer }: Pick<Socket, 'local' | 'peer'>): string[] {
  const [here, there] = [exactParts(local.text), exactParts(peer.text)];
  if (here === undefined || there === undefined) {
    throw new RangeError(`no exact endpoints: ${JSON.stringify([local.text, peer.text])}`);
  }
  const filter = ['src', `${here.host}:${here.port}`, 'dst', `${there.host}:${there.port}`];
  // ss prints the interface behind the address but does not read it there. Link-local endpoints may exist on two links at once.
  return here.device === undefined ? filter : [...filter, 'dev', '=', here.device];
}

/** ss would take `1.2` for 1.2.0.0 and the unspecified address for any: only what reads as one address counts. */
function exactParts(text: string): EndpointParts | undefined {
  return parseEndpoint(text) === undefined ? undefined : endpointParts(text);
}
