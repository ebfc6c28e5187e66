import { readFile } from 'node:fs/promises';
import { BlocklistError } from '../errors.js';

/** The bit of CAP_NET_ADMIN (linux/capability.h). */
const NET_ADMIN = 1n << 12n;

/** Ends where this process may not change the firewall, before anything is locked or written. @throws BlocklistError `no-permission` */
export async function requireRight(): Promise<void> {
  let effective: string | undefined;
  try {
    // proc_pid_status(5)
    effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(await readFile('/proc/self/status', 'latin1'))?.[1];
  } catch {
    // No /proc: nft will tell.
  }
  if (effective !== undefined && (BigInt(`0x${effective}`) & NET_ADMIN) === 0n) throw noPermission();
}

/** For what nft says where the kernel says no. */
export function noPermission(): BlocklistError {
  return new BlocklistError('no-permission', 'the kernel does not let this user change the firewall', {
    where: 'nft',
    hint: 'run as root, or with CAP_NET_ADMIN',
  });
}
