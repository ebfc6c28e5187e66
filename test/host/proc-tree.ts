import { mkdir, symlink, writeFile } from 'node:fs/promises';
import type { Socket } from '../../src/host/sockets.js';
import { singleAddress } from '../../src/ip/index.js';
import { tempFolder } from '../io/temp.js';

/** When the made-up host was started, milliseconds since 1970. */
export const BOOT = Date.UTC(2026, 5, 1);

/** A process of a made-up host. */
export interface ProcessSample {
  readonly name: string;
  readonly parent: number;
  /** file that it runs; undefined: one that may not be seen */
  readonly exe?: string | undefined;
  readonly uid?: number;
  /** it leads a session of its own on this terminal */
  readonly pts?: number;
  /** terminals of which it holds the other side */
  readonly gives?: readonly number[];
  readonly state?: string;
  readonly flags?: number;
  /** seconds after the start of the host */
  readonly at?: number;
  readonly loginUid?: number;
  readonly audit?: number;
  readonly group?: string;
  readonly title?: string;
}

export type ProcessSamples = Readonly<Record<number, ProcessSample>>;

/** A host with a listener of sshd (10), processes of it by their numbers, and terminals; `proc`, `run` and `dev` are folders. */
export async function hostWith(samples: ProcessSamples, files: Readonly<Record<string, string | Uint8Array>> = {}) {
  const folder = await tempFolder();
  const folders = { proc: `${folder}/proc`, run: `${folder}/run`, dev: `${folder}/dev` };
  for (const each of Object.values(folders)) await mkdir(each, { recursive: true });
  await writeFile(await parentOf(`${folders.proc}/stat`), `cpu 1 2 3\nbtime ${BOOT / 1000}\n`);
  const all: ProcessSamples = { 1: { name: 'systemd', parent: 0 }, 10: { name: 'sshd', parent: 1 }, ...samples };
  for (const [pid, sample] of Object.entries(all)) await write(`${folders.proc}/${pid}`, Number(pid), sample);
  for (const [path, content] of Object.entries(files)) await writeFile(await parentOf(`${folder}/${path}`), content);
  return folders;
}

async function parentOf(path: string): Promise<string> {
  await mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
  return path;
}

async function write(folder: string, pid: number, sample: ProcessSample): Promise<void> {
  const { name, parent, uid = 0, pts, gives = [], state = 'S', flags = 0, at = 100, group = '/' } = sample;
  const unset = 0xffff_ffff;
  await mkdir(`${folder}/fd`, { recursive: true });
  await mkdir(`${folder}/fdinfo`);
  const [leader, tty] = pts === undefined ? [0, 0] : [pid, (136 << 8) | pts];
  const rest = `0 ${flags} ${'0 '.repeat(12)}${at * 100} 0 0`;
  await writeFile(`${folder}/stat`, `${pid} (${name}) ${state} ${parent} ${pid} ${leader} ${tty} ${rest}\n`);
  await writeFile(`${folder}/status`, `Name:\t${name}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`);
  await writeFile(`${folder}/loginuid`, String(sample.loginUid ?? unset));
  await writeFile(`${folder}/sessionid`, String(sample.audit ?? unset));
  await writeFile(`${folder}/cgroup`, `0::${group}\n`);
  await writeFile(`${folder}/cmdline`, `${sample.title ?? name}\0`);
  if (!('exe' in sample)) await symlink(`/usr/sbin/${name}`, `${folder}/exe`);
  else if (sample.exe !== undefined) await symlink(sample.exe, `${folder}/exe`);
  for (const [fd, index] of gives.entries()) {
    await symlink('/dev/ptmx', `${folder}/fd/${fd}`);
    await writeFile(`${folder}/fdinfo/${fd}`, `pos:\t0\nflags:\t02\ntty-index:\t${index}\n`);
  }
}

/** A connection from 203.0.113.7 to port 22 that these processes hold. */
export function connection(port: number, ...pids: readonly number[]): Socket {
  const [local, peer] = [endpoint('192.0.2.2', 22), endpoint('203.0.113.7', port)];
  return { protocol: 'tcp', state: 'ESTAB', local, peer, processes: pids.map((pid) => ({ name: 'sshd', pid })) };
}

function endpoint(text: string, port: number): Socket['peer'] {
  const address = singleAddress(text);
  if (address === undefined) throw new Error(`sample: ${text}`);
  return { address, port, text: `${text}:${port}` };
}

/** A session of alice (1000) with a terminal, as OpenSSH makes it: root's process, hers, her shell. */
export function aliceOn(pts: number, first = 20, more: Partial<ProcessSample> = {}): ProcessSamples {
  const audit = { loginUid: 1000, audit: first, at: first, ...more };
  return {
    [first]: { name: 'sshd', parent: 10, title: 'sshd: alice [priv]', gives: [pts], ...audit },
    [first + 1]: { name: 'sshd', parent: first, uid: 1000, gives: [pts], ...audit },
    [first + 2]: { name: 'bash', parent: first + 1, uid: 1000, pts, ...audit },
  };
}
