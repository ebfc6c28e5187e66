import { canonicalAddress } from '../../ip/index.js';
import type { Service, Told } from './service.js';

/** The end is anchored: a name may hold `, rip=…`, so the last one in front of `, lip=` is the program's. */
const IN =
  /^(?:imap|pop3|managesieve|submission)-login: (?:Login|Logged in): user=<(.{0,256})>, method=(\S{1,40}), rip=([^\s,]{2,64}), lip=[^,]{2,64},/;
const FAILED =
  /^(?:imap|pop3|managesieve|submission)-login: .{0,200}\(auth failed, \d{1,6} attempts.*\): user=<(.{0,256})>.*, rip=([^\s,]{2,64}), lip=/;

/** Dovecot's login processes (login_log_format). */
export const dovecot: Service = {
  name: 'dovecot',
  programs: ['dovecot'],
  // Its processes log through the log process of the master, which runs this file.
  executables: ['dovecot', 'log'],
  needles: ['Login: user=<', 'Logged in: user=<'],
  read,
  isOfRoot: () => true,
};

function read(message: string): Told | undefined {
  const [, user, method, rip = ''] = IN.exec(message) ?? [];
  if (user !== undefined && method !== undefined) {
    // Behind a proxy on the same machine it is a socket: no address then.
    return { kind: 'login', user, method: method.toLowerCase(), address: canonicalAddress(rip) };
  }
  const [, who, from = ''] = FAILED.exec(message) ?? [];
  return who === undefined ? undefined : { kind: 'failure', user: who, address: canonicalAddress(from) };
}
