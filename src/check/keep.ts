import { basename } from 'node:path';
import { isOfUnit, type SocketUnit } from '../host/socket-units.js';
import type { Advice } from './advice.js';
import type { Door } from './doors.js';
import { suspicionOf } from './suspicion.js';

/** How the person who asks came in, and how this host has its network. */
export interface Keeping {
  /** where SSH is served */
  readonly sshPorts: ReadonlySet<number>;
  /** port of this host that the caller's SSH session came to; undefined: not through SSH, or not known */
  readonly callerPort: number | undefined;
  /** the tunnel that it came through: `wg0` */
  readonly callerTunnel: string | undefined;
  /** this process and its parents */
  readonly own: ReadonlySet<number>;
  readonly socketUnits: readonly SocketUnit[];
  /** the command that leaves SSH to the caller alone */
  readonly lockdown: string;
}

/** Programs by their files: a name any process may take. */
const SSH_SERVERS: ReadonlySet<string> = new Set(['sshd', 'sshd-session', 'sshd-auth', 'dropbear', 'dropbearmulti']);
const ADDRESS_CLIENTS: ReadonlySet<string> = new Set([
  ...['dhclient', 'dhcpcd', 'udhcpc', 'busybox', 'dhcp6c', 'connmand'],
  ...['systemd-networkd', 'NetworkManager', 'nm-dhcp-helper', 'wickedd-dhcp4', 'wickedd-dhcp6'],
]);
const SSH_PORT = 22;
/** RFC 2131, RFC 8415 */
const ADDRESS_PORTS: ReadonlySet<DoorPort> = new Set<DoorPort>([68, 546]);
const TUNNEL_PROGRAMS: ReadonlySet<string> = new Set([
  ...[
    'openvpn',
    'charon',
    'charon-systemd',
    'pluto',
    'tailscaled',
    'tincd',
    'wireguard-go',
    'boringtun',
    'zerotier-one',
  ],
]);
type DoorPort = Door['key']['port'];

/** What must not be closed by a person who may be far away. */
export function keptFor(door: Door, keeping: Keeping): Advice | undefined {
  const isSuspect = [...door.openers, ...door.heirs].some((each) => suspicionOf(each)?.severity === 'high');
  if (isWayIn(door, keeping)) {
    if (!isSuspect) return { kind: 'keep', why: 'this is how you get in' };
    const note = 'SSH is served there: shut everybody else out before you look at it';
    return { kind: 'close', command: keeping.lockdown, note };
  }
  if (isSuspect) return undefined;
  if (door.openers.some(({ pid }) => keeping.own.has(pid))) {
    return { kind: 'keep', why: 'your own session opened it and takes it along when it ends' };
  }
  const { protocol, port, executable } = door.key;
  if (protocol === 'tcp' && port === SSH_PORT && executable === null) {
    return { kind: 'keep', why: 'SSH is served there as a rule, perhaps outside of this container' };
  }
  if (protocol === 'udp' && ADDRESS_PORTS.has(port) && isRunBy(door, ADDRESS_CLIENTS)) {
    return { kind: 'keep', why: 'this is how the host gets its address' };
  }
  const isTunnel = isRunBy(door, TUNNEL_PROGRAMS) || (protocol === 'udp' && door.openers.length === 0);
  if (keeping.callerTunnel !== undefined && isTunnel) {
    return { kind: 'keep', why: `your session comes through ${keeping.callerTunnel}, which it may carry` };
  }
  return undefined;
}

function isWayIn(door: Door, { sshPorts, callerPort, socketUnits }: Keeping): boolean {
  const { protocol, port } = door.key;
  if (protocol !== 'tcp' || port === 'changing') return false;
  if (port === callerPort) return true;
  const isOfInit = door.openers.some(({ pid }) => pid === 1);
  const isOfSsh = socketUnits.some(
    (unit) => /^(ssh|dropbear)/.test(unit.name) && door.sockets.some((socket) => isOfUnit(unit, socket)),
  );
  if (isOfInit && isOfSsh) return true;
  return sshPorts.has(port) && (isOfInit || isRunBy(door, SSH_SERVERS));
}

function isRunBy({ openers }: Door, programs: ReadonlySet<string>): boolean {
  return openers.length > 0 && openers.every(({ executable }) => programs.has(basename(executable?.path ?? '')));
}
