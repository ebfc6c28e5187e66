import { createHash } from 'node:crypto';
import { accessSync } from 'node:fs';
import { BlocklistError } from '../errors.js';
import { type Firewall, firewallHere } from '../host/firewall.js';
import { listening } from '../host/listeners.js';
import { packagesOf } from '../host/packages.js';
import type { ProcessFacts } from '../host/process-facts.js';
import { lineage, whereReadable } from '../host/processes.js';
import { socketUnits } from '../host/socket-units.js';
import { invokingSshSession, sshPorts } from '../host/ssh.js';
import { tunnelTo } from '../host/tunnels.js';
import { findAccount } from '../io/passwd.js';
import { fileChunks, readWhole } from '../io/read.js';
import { formatPrefix } from '../ip/index.js';
import type { Advice } from './advice.js';
import { adviceFor, type Surroundings, throughFirewall, unitNames } from './close.js';
import { type Door, doorsOf, type PortRange } from './doors.js';
import { isUnseen, type PortFacts } from './ports.js';
import { suspicionOf } from './suspicion.js';

/** Who asks, and the commands that can be pasted here. */
export interface Asker {
  readonly uid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `lockdown --allow 203.0.113.7` as it can be pasted here */
  readonly line: (command: string) => string;
}

export interface GatheredPorts extends Omit<PortFacts, 'baseline'> {
  /** uid → name, of those that hold a socket */
  readonly users: ReadonlyMap<number, string>;
  readonly unitsOf: (door: Door) => readonly string[];
}

/** Everything that the judgement needs of this host. Only reads. @throws BlocklistError `program-missing`, `program-failed` */
export async function portFacts(asker: Asker): Promise<GatheredPorts> {
  const [{ listeners, isComplete, denied }, range] = await Promise.all([listening(asker.uid), chosenPorts()]);
  const doors = doorsOf(listeners, range);
  const processes = doors.flatMap(({ openers, heirs }) => [...openers, ...heirs]);
  const [packages, digests, users] = await Promise.all([
    packagesOf(processes.flatMap(installed)),
    digestsOf(processes),
    usersOf(processes),
  ]);
  const around = await surroundings(doors, users, asker);
  const coverage = isComplete ? 'complete' : 'incomplete';
  const advices = new Map(doors.map((door) => [door, isUnseen(door, coverage) ? UNSEEN : adviceFor(door, around)]));
  // These programs take a second each to answer: they are asked only where it matters. They leave the loopback interface alone.
  const isAsked = ({ key }: Door) => key.scope !== 'loopback';
  const isNeeded = doors.some((door) => isAsked(door) && advices.get(door) === undefined);
  const firewall = isNeeded ? await firewallHere() : NO_FIREWALL;
  return {
    doors,
    coverage,
    denied: asker.uid === 0 ? denied : 'others',
    packages,
    users,
    unitsOf: (door) => unitNames(door, around.socketUnits),
    adviceOf: (door) => advices.get(door) ?? throughFirewall(door, isAsked(door) ? firewall : NO_FIREWALL),
    digestOf: ({ pid }) => digests.get(pid),
    commands: { accept: asker.line('check ports --accept'), asRoot: `sudo ${asker.line('check ports')}` },
  };
}

const NO_FIREWALL: Firewall = { name: 'none' };
/** Whoever closes a port without knowing whose it is may close SSH. */
const UNSEEN: Advice = { kind: 'keep', why: 'who holds it is not seen' };

/** What may belong to a package of this host. A file in a container has the names of another host. */
function installed({ executable }: ProcessFacts): string[] {
  const isHere = executable?.state === 'there' || executable?.state === 'replaced';
  return isHere ? [executable.path] : [];
}

const CHOSEN_PORTS = '/proc/sys/net/ipv4/ip_local_port_range';

async function chosenPorts(): Promise<PortRange> {
  const [first, last] = ((await readWhole(CHOSEN_PORTS, 100)) ?? '').toString().trim().split(/\s+/).map(Number);
  // As the kernel has it by default (ip(7)).
  return first === undefined || last === undefined ? [32_768, 60_999] : [first, last];
}

async function surroundings(
  doors: readonly Door[],
  users: ReadonlyMap<number, string>,
  { env, line }: Asker,
): Promise<Surroundings> {
  const isOfInit = doors.some(({ openers }) => openers.some(({ pid }) => pid === 1));
  const [ports, caller, units] = await Promise.all([
    sshPorts(),
    invokingSshSession(env),
    isOfInit ? socketUnits() : [],
  ]);
  const tunnel = caller === undefined ? undefined : await tunnelTo(caller.peer.address);
  const address = caller === undefined ? 'YOUR-ADDRESS' : formatPrefix(caller.peer.address);
  return {
    sshPorts: new Set(ports),
    callerPort: caller?.local.port,
    callerTunnel: tunnel?.device,
    own: new Set(lineage(process.pid).map(({ pid }) => pid)),
    socketUnits: units,
    lockdown: line(`lockdown --allow ${address}`),
    userOf: (uid) => users.get(uid),
    isTransient: (unit) => whereReadable(() => accessSync(`/run/systemd/transient/${unit}`) ?? true) === true,
  };
}

async function usersOf(processes: readonly ProcessFacts[]): Promise<ReadonlyMap<number, string>> {
  const users = new Map<number, string>();
  for (const uid of new Set(processes.flatMap(({ uid, unit }) => [uid, unit?.user]))) {
    const account = await findAccount((each) => each.uid === uid);
    if (account !== undefined) users.set(account.uid, account.name);
  }
  return users;
}

/** By the link of proc(5), which leads to the file that runs also when that was removed. */
async function digestsOf(processes: readonly ProcessFacts[]): Promise<ReadonlyMap<number, string>> {
  const digests = new Map<number, string>();
  for (const each of processes) {
    if (digests.has(each.pid) || suspicionOf(each)?.severity !== 'high') continue;
    const digest = await digestOf(each.pid);
    if (digest !== undefined) digests.set(each.pid, digest);
  }
  return digests;
}

async function digestOf(pid: number): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of fileChunks(`/proc/${pid}/exe`)) hash.update(chunk);
    return hash.digest('hex');
  } catch (error) {
    // It has ended meanwhile.
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}
