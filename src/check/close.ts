import type { Firewall } from '../host/firewall.js';
import type { Opened } from '../host/firewalld-zones.js';
import type { ProcessFacts } from '../host/process-facts.js';
import { isOfUnit, type SocketUnit } from '../host/socket-units.js';
import type { UfwRules } from '../host/ufw-rules.js';
import type { Unit } from '../host/unit.js';
import type { Advice } from './advice.js';
import type { Door } from './doors.js';
import { type Keeping, keptFor } from './keep.js';
import { suspicionOf } from './suspicion.js';

/** What is known of this host beside its listeners. */
export interface Surroundings extends Keeping {
  readonly socketUnits: readonly SocketUnit[];
  /** name of a user */
  readonly userOf: (uid: number) => string | undefined;
  /** units that are written nowhere, as those of systemd-run(1) */
  readonly isTransient: (unit: string) => boolean;
}

/**
 * Services that do more for a host than to listen: without them it has no network, no name server, no container, or nobody gets in any more. A session
 * of SSH that forwards a port may run as part of the server.
 */
const VITAL =
  /^(systemd-|NetworkManager|networking|ifup@|dhcpcd|wpa_supplicant|dbus|docker|containerd|ssh|dropbear|user@)/;

/** What can be said without asking the firewall; undefined: `throughFirewall` can. */
export function adviceFor(door: Door, around: Surroundings): Advice | undefined {
  const kept = keptFor(door, around);
  if (kept !== undefined) return kept;
  const suspects = [...door.openers, ...door.heirs].filter((each) => suspicionOf(each)?.severity === 'high');
  const pids = suspects.map(({ pid }) => pid).filter((pid) => pid > 1);
  if (pids.length > 0) {
    const note = 'it stands still and stays there to be looked at; kill -CONT lets it go on';
    return { kind: 'close', command: `kill -STOP ${pids.join(' ')}`, note };
  }
  return throughContainer(door) ?? throughSystemd(door, around);
}

/** The helper of Docker that holds the published ports belongs to the daemon, and so to all containers. */
function throughContainer({ openers, key }: Door): Advice | undefined {
  const isProxy = openers.length > 0 && openers.every(({ executable }) => executable?.path.endsWith('/docker-proxy'));
  if (!isProxy) return undefined;
  const command = `docker ps --filter publish=${key.port}/${key.protocol}`;
  return { kind: 'close', command, note: 'names the container; stop it, or publish its port on 127.0.0.1 alone' };
}

/** Who opened it, or for whom the first process did, and the sockets that it holds for them. */
function unitsOf({ openers, heirs, sockets }: Door, units: readonly SocketUnit[]) {
  const isOfInit = openers.some(({ pid }) => pid === 1);
  const holders = isOfInit ? [...openers.filter(({ pid }) => pid !== 1), ...heirs] : openers;
  return {
    isOfInit,
    holders: holders.map(({ unit }) => unit),
    sockets: isOfInit ? units.filter((unit) => sockets.some((socket) => isOfUnit(unit, socket))) : [],
  };
}

/** Names of the units behind a door, those of sockets first; none for what systemd does not run. */
export function unitNames(door: Door, units: readonly SocketUnit[]): string[] {
  const { sockets, holders } = unitsOf(door, units);
  return [...new Set([...sockets, ...holders].flatMap((unit) => unit?.name ?? []))];
}

function throughSystemd(door: Door, { socketUnits, userOf, isTransient }: Surroundings): Advice | undefined {
  const { isOfInit, holders: units, sockets } = unitsOf(door, socketUnits);
  // Half of the holders would go on.
  if (!units.every((unit) => unit?.name.endsWith('.service') === true && !VITAL.test(unit.name))) return undefined;
  const services = units.filter((unit) => unit !== undefined);
  const users = new Set(services.map(({ user }) => user));
  const names = unitNames(door, socketUnits);
  if (names.length === 0 || users.size > 1 || (isOfInit && sockets.length === 0)) return undefined;
  const manager = managerOf([...users][0], userOf);
  if (manager === undefined) return undefined;
  const verb = names.some(isTransient) ? 'stop' : 'disable --now';
  return { kind: 'close', command: `systemctl ${manager}${verb} ${names.map(quoted).join(' ')}` };
}

function managerOf(user: Unit['user'], userOf: Surroundings['userOf']): string | undefined {
  if (user === undefined) return '';
  const name = userOf(user);
  return name === undefined ? undefined : `--user --machine=${name}@ `;
}

/** A backslash is the only character in the name of a unit that a shell minds. */
function quoted(name: string): string {
  return name.includes('\\') ? `'${name}'` : name;
}

/** By the firewall of this host; where there is none by ending the process, and where that is nobody's by nft. */
export function throughFirewall(door: Door, firewall: Firewall): Advice {
  const { protocol } = door.key;
  const ports = [...new Set(door.sockets.map(({ port }) => port))];
  const [port = 0] = ports;
  const pids = door.openers.map(({ pid }) => pid);
  const isEndable = pids.length > 0 && door.openers.every((each) => each.pid > 1 && !isManager(each));
  // A rule about a port that is another one tomorrow closes nothing.
  if (firewall.name === 'ufw' && door.key.port !== 'changing') {
    return { kind: 'close', command: ufwLine(firewall.rules, `${port}/${protocol}`) };
  }
  if (firewall.name === 'firewalld' && door.key.port !== 'changing') {
    const opened = firewall.opened(protocol, port);
    if (opened.length > 0) return { kind: 'close', command: firewalldLine(opened, protocol, port) };
    const note = 'firewalld opens it in no zone that is in use';
    if (isEndable) return { kind: 'close', command: `kill ${pids.join(' ')}`, note };
    return { kind: 'keep', why: note };
  }
  if (isEndable) return { kind: 'close', command: `kill ${pids.join(' ')}`, note: 'look first at what it is' };
  const note = `not if you may come in by it; until the next boot, or nft delete table ${CLOSED}`;
  return { kind: 'close', command: nftLine(protocol, ports), note };
}

/** The manager of a user holds sockets for services, and ends all of them with itself. */
function isManager({ unit }: ProcessFacts): boolean {
  return unit?.name === 'init.scope' || unit?.name.startsWith('user@') === true;
}

/**
 * The first rule that fits decides, so that of the denial has to come first. Where there is one of exactly this port ufw leaves it where it stands, and says
 * `Skipping inserting existing rule` (0.36.2).
 */
function ufwLine(rules: UfwRules, port: string): string {
  const before = rules.get(port);
  const prepend = `ufw prepend deny ${port}`;
  return before === undefined ? prepend : `ufw delete ${before} ${port} && ${prepend}`;
}

function firewalldLine(opened: readonly Opened[], protocol: string, port: number): string {
  const lines = opened.map(({ zone, by }) => {
    const what =
      by === 'all'
        ? `--add-rich-rule='rule port port="${port}" protocol="${protocol}" drop'`
        : 'port' in by
          ? `--remove-port=${by.port}`
          : `--remove-service=${by.service}`;
    return `firewall-cmd --permanent --zone=${zone} ${what}`;
  });
  return [...lines, 'firewall-cmd --reload'].join(' && ');
}

const CLOSED = 'inet closed_ports';

/** In a table of its own: `drop` is final in any of them, and a chain of somebody else may be written anew at any time. */
function nftLine(protocol: string, ports: readonly number[]): string {
  const commands = [
    `add table ${CLOSED}`,
    `add chain ${CLOSED} input { type filter hook input priority 0; }`,
    ...ports.map((port) => `add rule ${CLOSED} input ${protocol} dport ${port} drop`),
  ];
  return `nft '${commands.join('; ')}'`;
}
