import { readWhole } from '../io/read.js';
import type { Prefix } from '../ip/index.js';
import { singleAddress } from '../ip/index.js';
import { isLoopback, reachable } from './single.js';

export interface ResolverFiles {
  /** resolv.conf(5), what programs ask */
  readonly main: string;
  /** what a stub on this host asks in turn */
  readonly upstream: readonly string[];
}

const FILES: ResolverFiles = {
  main: '/etc/resolv.conf',
  // systemd-resolved.service(8), and NetworkManager(8) with its dnsmasq
  upstream: ['/run/systemd/resolve/resolv.conf', '/run/NetworkManager/no-stub-resolv.conf'],
};
/** resolv.conf(5) needs a few hundred bytes; generated ones have comments. */
const LONGEST_FILE = 1 << 20;

/** The servers of a resolv.conf(5), as text; lines that are none are skipped, as the C library does. */
export function nameservers(text: string): string[] {
  return text.split('\n').flatMap((line) => /^nameserver[ \t]+([^\s#;]+)/.exec(line)?.[1] ?? []);
}

/**
 * The name servers that this host asks. Where resolv.conf names only a stub on this host (127.0.0.53) or nothing, those that the
 * stub asks. Left out are loopback and link-local ones: no list can hit them.
 * @throws BlocklistError `file-unreadable`, `too-large`; a missing file names none.
 */
export async function resolvers(files: ResolverFiles = FILES): Promise<Prefix[]> {
  const named = await read(files.main);
  const isStub = named.every((text) => {
    const address = singleAddress(text);
    return address === undefined || isLoopback(address);
  });
  const asked = isStub ? (await Promise.all(files.upstream.map(read))).flat() : [];
  return reachable([...named, ...asked]);
}

async function read(path: string): Promise<string[]> {
  const bytes = await readWhole(path, LONGEST_FILE);
  return nameservers(bytes?.toString('latin1') ?? '');
}
