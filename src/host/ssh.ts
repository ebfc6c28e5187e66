import { lineage, type Process, socketOwners, startedWith } from './processes.js';
import { type Socket, sockets } from './sockets.js';
import { listenLines } from './ss.js';
import { isConnection, parseSshConnection, type SshConnection } from './ssh-connection.js';

/** Programs that serve SSH: OpenSSH's listener, since 9.8 its session and since 10 its login process, and dropbear. */
const SERVERS: ReadonlySet<string> = new Set(['sshd', 'sshd-session', 'sshd-auth', 'dropbear']);

function isServer({ name }: Process): boolean {
  return SERVERS.has(name);
}

function isHeldBy({ processes }: Socket, pid: number): boolean {
  return processes.some((process) => process.pid === pid);
}

interface Live {
  /** established TCP sockets */
  readonly sockets: readonly Socket[];
  /** port → processes that serve SSH and listen on it */
  readonly ports: ReadonlyMap<number, ReadonlySet<number>>;
  /** ports that others listen on: systemd does for SSH, too (systemd.socket(5)) */
  readonly others: ReadonlySet<number>;
}

async function live(): Promise<Live> {
  const [lines, connected] = await Promise.all([listenLines(), sockets()]);
  const owners = socketOwners(new Set(lines.map(({ inode }) => inode)));
  const ports = new Map<number, Set<number>>();
  const others = new Set<number>();
  for (const { port, inode } of lines) {
    for (const holder of owners.get(inode) ?? []) {
      if (isServer(holder)) ports.set(port, (ports.get(port) ?? new Set()).add(holder.pid));
      else others.add(port);
    }
  }
  const established = connected.filter(({ protocol, state }) => protocol === 'tcp' && state === 'ESTAB');
  return { sockets: established, ports, others };
}

/** Whether a server listens on this port, other than `session` itself: what a session listens on is a forwarded port (ssh -R). */
function isServed(port: number, session: number, { ports }: Live): boolean {
  return [...(ports.get(port) ?? [])].some((pid) => pid !== session);
}

/**
 * The socket of the SSH session that started this process: its peer is who is at the other end. Found in this order:
 * 1. the connection that the nearest SSH server among its parents holds. Neither sudo, `env -i` nor setsid(1) change the parents;
 * 2. what SSH_CONNECTION says, in `env` or in what a parent was started with (tmux and screen leave the parents, sudo clears the variable),
 *    if an established TCP socket has exactly these ends: a session that has ended, or a text that somebody made up, is not believed.
 * Undefined when neither tells.
 * @throws BlocklistError `program-missing`, `program-failed`.
 */
export async function invokingSshSession(
  env: Readonly<Record<string, string | undefined>>,
  pid: number = process.pid,
): Promise<Socket | undefined> {
  const chain = lineage(pid);
  const now = await live();
  const texts = [env.SSH_CONNECTION, ...chain.map((each) => startedWith(each.pid, 'SSH_CONNECTION'))];
  const claims = [...new Set(texts)].map(parseSshConnection).filter((claim) => claim !== undefined);
  const held = clientSocket(chain, claims, now);
  if (held !== undefined) return held;
  for (const claim of claims) {
    const found = now.sockets.find((socket) => isConnection(socket, claim));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Of the nearest SSH server in the chain, the socket of its client. */
function clientSocket(chain: readonly Process[], claims: readonly SshConnection[], now: Live): Socket | undefined {
  const first = chain.findIndex((process) => isServer(process) && now.sockets.some((s) => isHeldBy(s, process.pid)));
  if (first < 0) return undefined;
  // A session is one process for root, and two for others: the one that ours comes from, and its parent, the monitor, which holds nothing
  // but the client's connection (sshd's privilege separation). Behind them comes the listener, which holds none.
  const end = chain.findIndex((process, k) => k > first && !isServer(process));
  const session = chain.slice(first, end < 0 ? chain.length : end).reverse();
  const holder = session.find(({ pid }) => now.sockets.some((socket) => isHeldBy(socket, pid)));
  if (holder === undefined) return undefined;
  const held = now.sockets.filter((socket) => isHeldBy(socket, holder.pid));
  if (held.length === 1) return held[0];
  // Root's session holds forwarded connections, too (ssh -L, -R).
  const claimed = held.find((socket) => claims.some((claim) => isConnection(socket, claim)));
  const served = held.filter(({ local }) => isServed(local.port, holder.pid, now));
  return claimed ?? (served.length === 1 ? served[0] : undefined);
}

/**
 * The established connections of SSH servers to their clients: held by a process with the name of one, or on a port that such a process listens
 * on. A connection that a session only forwards is left out where the session's own can be told from it. Without root's rights nobody's
 * processes are seen, and the answer is empty.
 * @throws BlocklistError `program-missing`, `program-failed`.
 */
export async function sshPeers(): Promise<Socket[]> {
  const now = await live();
  const isOnPort = (socket: Socket, pid: number): boolean => isServed(socket.local.port, pid, now);
  /** sessions whose connection to the client is known by its port: what else they hold is forwarded */
  const known = new Set<number>();
  for (const socket of now.sockets) {
    for (const process of socket.processes) {
      if (isServer(process) && isOnPort(socket, process.pid)) known.add(process.pid);
    }
  }
  return now.sockets.filter((socket) => {
    const servers = socket.processes.filter(isServer);
    if (servers.length === 0) return now.ports.has(socket.local.port);
    return servers.some(({ pid }) => isOnPort(socket, pid) || !known.has(pid));
  });
}

/**
 * The TCP ports where SSH is served, ascending: an SSH server listens there that is no session itself (one listens for ssh -R), or somebody else
 * does who hands connections to such a server, as can be seen while there is one. Empty without root's rights.
 * @throws BlocklistError `program-missing`, `program-failed`.
 */
export async function sshPorts(): Promise<number[]> {
  const { sockets: connected, ports, others } = await live();
  const found = new Set<number>();
  for (const [port, pids] of ports) {
    if ([...pids].some((pid) => !connected.some((socket) => isHeldBy(socket, pid)))) found.add(port);
  }
  for (const { local, processes } of connected) {
    if (others.has(local.port) && processes.some(isServer)) found.add(local.port);
  }
  return [...found].sort((a, b) => a - b);
}
