import type { Peer } from './peer.js';

/** Lines that are no terminal, and whose they are (loginrec.c of OpenSSH, proftpd, sysdeputil.c of vsftpd, cockpit-session.c). */
const OF_LINE: readonly (readonly [line: RegExp, service: string])[] = [
  [/^ssh(?::|$)/, 'sshd'],
  [/^ftpd/, 'ftpd'],
  [/^vsftpd/, 'vsftpd'],
  [/^web console$/, 'cockpit'],
];

/** A display (`:0`), a window of screen (`:pts/0:S.1`) or tmux (`tmux(12).%0`), `192.0.2.7 via mosh [12]`: no client of sshd. */
const NOT_REMOTE = /^(?::|tmux\()|\s/;

export interface Where {
  readonly service: string;
  readonly tty?: string;
}

/**
 * Who let somebody in, as far as a line tells: records have no field for it. A pseudo terminal with somebody far behind it is of sshd on any
 * machine without telnet.
 */
export function whereOf(line: string, { address, peer }: Peer): Where {
  // First, as nearly all are of this kind.
  if (line.startsWith('pts/')) {
    const isRemote = address !== undefined || (peer !== undefined && !NOT_REMOTE.test(peer));
    return { service: isRemote ? 'sshd' : 'login', tty: line };
  }
  const known = OF_LINE.find(([pattern]) => pattern.test(line));
  if (known !== undefined) return { service: known[1] };
  return line === '' ? { service: 'login' } : { service: 'login', tty: line };
}
