import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { formatPrefix } from '../ip/index.js';
import { offspring, type ProcessRow, type ProcessTable } from './process-table.js';
import { whereReadable } from './processes.js';
import type { Socket } from './sockets.js';

/** Programs that serve SSH: OpenSSH's own, since 9.8 of a session, since 10 of a login that is not through; and dropbear. */
const SERVERS: ReadonlySet<string> = new Set(['sshd', 'sshd-session', 'sshd-auth', 'dropbear']);
/** As sshd calls the process of a session: `sshd: root@pts/0`, `sshd: root@notty` */
const TITLE = /^sshd(?:-session)?: \S+@(?:pts\/\d+|notty|internal-sftp)/;

/** Somebody who came in through SSH and is still there. */
export interface SshLogin {
  /** root's process of it, `sshd: alice [priv]`: when that ends, the session does */
  readonly monitor: ProcessRow;
  readonly uid: number | undefined;
  /** milliseconds since 1970 */
  readonly since: number;
  /** the other end, in canonical form; undefined: its connection was not seen */
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** the terminals that sshd gave; none: scp, sftp, a command, forwarding */
  readonly terminals: readonly SshTerminal[];
  /** undefined: pam wrote down none of its own */
  readonly audit: number | undefined;
  /** elsewhere: its sshd has other folders than we, as in a container, and keeps its records there */
  readonly place: 'here' | 'elsewhere';
  /** the servers' and all that came of them */
  readonly processes: readonly ProcessRow[];
}

export interface SshTerminal {
  /** `pts/0` */
  readonly tty: string;
  /** the process that it was given to; for root it is the one in the records */
  readonly leader: ProcessRow | undefined;
}

export interface SshPlaces {
  readonly proc: string;
  readonly run: string;
  /** user of the processes that talk to those who are not through yet: `sshd` */
  readonly unprivileged: number | undefined;
}

/** Who is in by SSH. @param connections to servers of SSH, with who holds them (`sshPeers`) */
export function sshLogins(table: ProcessTable, connections: readonly Socket[], places: SshPlaces): SshLogin[] {
  const logins: SshLogin[] = [];
  for (const monitor of table.rows.values()) {
    if (!isServer(monitor) || monitor.uid !== 0) continue;
    const parent = table.rows.get(monitor.parent);
    // The listener holds no connection; a server that something else than a listener started does.
    const own = heldBy(connections, monitor);
    if (own.length === 0 && (parent === undefined || !isServer(parent))) continue;
    const user = userOf(monitor, parent, table, places);
    if (user === undefined) continue;
    const servers = (table.children.get(monitor.pid) ?? []).filter(isServer);
    const [connection] = [...own, ...servers.flatMap((each) => heldBy(connections, each))];
    logins.push({
      monitor,
      uid: user.uid,
      since: monitor.start,
      address: connection === undefined ? undefined : formatPrefix(connection.peer.address),
      port: connection?.peer.port,
      terminals: terminalsOf(monitor, table, places.proc),
      audit: monitor.audit === parent?.audit ? undefined : monitor.audit,
      place: placeOf(monitor, places),
      processes: offspring([monitor], table),
    });
  }
  return logins;
}

function heldBy(connections: readonly Socket[], { pid }: ProcessRow): Socket[] {
  return connections.filter(({ processes }) => processes.some((process) => process.pid === pid));
}

function isServer({ program, name, uid }: ProcessRow): boolean {
  // Of processes of root that are not ours to see: nobody else names them.
  return SERVERS.has(program ?? (uid === 0 ? name : ''));
}

/** Whose session it is; undefined while nobody has proven who he is, and for processes that only help. */
function userOf(
  monitor: ProcessRow,
  parent: ProcessRow | undefined,
  { children }: ProcessTable,
  { proc, unprivileged }: SshPlaces,
): { readonly uid: number | undefined } | undefined {
  const all = children.get(monitor.pid) ?? [];
  const servers = all.filter((each) => isServer(each) && each.uid !== 0);
  const isAsking = ({ program, uid }: ProcessRow) =>
    program === 'sshd-auth' || (uid === unprivileged && uid !== undefined);
  if (servers.some(isAsking)) return undefined;
  const [server] = servers;
  if (server !== undefined) return { uid: server.uid };
  // Root's session has no process without rights.
  if (monitor.audit !== undefined && monitor.audit !== parent?.audit) return { uid: monitor.loginUid };
  const shell = all.find((each) => !isServer(each));
  if (shell !== undefined) return { uid: shell.uid };
  const title = whereReadable(() => readFileSync(`${proc}/${monitor.pid}/cmdline`, 'utf8')) ?? '';
  return TITLE.test(title) ? { uid: 0 } : undefined;
}

/**
 * By the side of it that the server holds: a session may let go of its controlling terminal and go on to use it. Where that is not ours to see, by the
 * terminals of the processes that it started.
 */
function terminalsOf(monitor: ProcessRow, { children }: ProcessTable, proc: string): SshTerminal[] {
  const own = children.get(monitor.pid) ?? [];
  const servers = [monitor, ...own.filter(isServer)];
  const started = servers.flatMap(({ pid }) => children.get(pid) ?? []).filter((each) => !isServer(each));
  const led = started.filter(({ pid, leader, tty }) => pid === leader && tty?.startsWith('pts/') === true);
  const names = new Set([
    ...servers.flatMap(({ pid }) => heldTerminals(pid, proc)),
    ...led.flatMap(({ tty }) => tty ?? []),
  ]);
  return [...names].map((tty) => ({ tty, leader: led.find((each) => each.tty === tty) }));
}

function heldTerminals(pid: number, proc: string): string[] {
  const folder = `${proc}/${pid}`;
  const names = whereReadable(() => readdirSync(`${folder}/fd`)) ?? [];
  return names.flatMap((fd) => {
    const target = whereReadable(() => readlinkSync(`${folder}/fd/${fd}`)) ?? '';
    if (!/^\/dev\/(?:pts\/)?ptmx$/.test(target)) return [];
    // proc(5), since Linux 4.14
    const index = /^tty-index:\s*(\d+)$/m.exec(
      whereReadable(() => readFileSync(`${folder}/fdinfo/${fd}`, 'utf8')) ?? '',
    )?.[1];
    return index === undefined ? [] : [`pts/${index}`];
  });
}

/** Whether its /run, where the records of who is here are, is the one that we see. What cannot be told is taken for here. */
function placeOf({ pid }: ProcessRow, { proc, run }: SshPlaces): SshLogin['place'] {
  const [its, ours] = [`${proc}/${pid}/root/run`, run].map((path) => whereReadable(() => statSync(path)));
  if (its === undefined || ours === undefined) return 'here';
  return its.dev === ours.dev && its.ino === ours.ino ? 'here' : 'elsewhere';
}
