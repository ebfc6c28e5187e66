import { peerOf } from '../peer.js';
import { portOf, type Service, type Told } from './service.js';

/** OpenSSH auth.c, auth_log(): whole, since the name of a user may hold anything. What follows `ssh2` tells of the key. */
const ACCEPTED =
  /^Accepted ([a-z-]{1,40}(?:\/[a-z]{1,20})?) for (\S{1,256}) from (\S{1,256}) port (\d{1,5}) ssh2(?:: (.*))?$/;
const LOOKS_ACCEPTED = /^Accepted [a-z-]+(?:\/[a-z]+)? for /;
/** An account that exists: useradd(8) and names of directories (`DOM\user`), not what syslog makes of a control character (`\012`, `#012`). */
const NAME = /^(?!.*\\[0-7]{3})[A-Za-z0-9_.@\\-]+\$?$/;
/** `ED25519 SHA256:…`, with `-CERT` and its identity behind it */
const KEY = /^[A-Z0-9-]{1,20} ([A-Za-z0-9]{1,10}:[A-Za-z0-9+/=:]{16,128})(?:$|[ ,])/;

/** The name is greedy: whatever stands in it, the last `from` is the program's. */
const FAILED = /^Failed \S{1,60} for (?:invalid user )?(.*) from (\S{1,256}) port (\d{1,5}) ssh2(?:: .*)?$/;
/** pam_unix(8); since Linux-PAM 1.4 with the uid */
const OPENED = /^pam_unix\(sshd:session\): session opened for user (\S{1,256}?)(?:\(uid=\d{1,10}\))? by /;
const CLOSED = /^pam_unix\(sshd:session\): session closed for user (\S{1,256})$/;
/** OpenSSH session.c, do_exec(), at LogLevel VERBOSE */
const STARTING =
  /^Starting session: .{1,4096} on (pts\/\d{1,6}) for (\S{1,256}) from (\S{1,256}) port (\d{1,5}) id \d+$/;
/** `Disconnected from authenticating user` and `invalid user` never were in. */
const DISCONNECTED = /^Disconnected from user (\S{1,256}) (\S{1,256}) port (\d{1,5})$/;

export const sshd: Service = {
  name: 'sshd',
  // 9.8 moved sessions to a program of their own, 10.0 what comes before them.
  programs: ['sshd', 'sshd-session', 'sshd-auth'],
  executables: ['sshd', 'sshd-session', 'sshd-auth'],
  needles: ['Accepted ', 'Starting session: ', 'Disconnected from user ', '(sshd:session)'],
  read,
  // The process that speaks with the client after the login runs as the user.
  isOfRoot: ({ kind }) => kind === 'login',
};

function read(message: string): Told | undefined {
  if (message.startsWith('Accepted ')) return accepted(message);
  if (message.startsWith('pam_unix(')) return session(message);
  const starting = STARTING.exec(message);
  if (starting !== null) {
    const [, tty, user = '', host = '', port] = starting;
    return { kind: 'opened', user, tty, address: peerOf(host).address, port: portOf(port) };
  }
  const disconnected = DISCONNECTED.exec(message);
  if (disconnected !== null) {
    const [, user, host = '', port] = disconnected;
    return { kind: 'logout', user, address: peerOf(host).address, port: portOf(port) };
  }
  const failed = FAILED.exec(message);
  if (failed !== null) {
    const [, user = '', host = '', port] = failed;
    return { kind: 'failure', user, ...peerOf(host), port: portOf(port) };
  }
  // A name that was chosen to look like a login to whoever searches for the word.
  return / (?:user|for) .*Accepted [a-z-]+ for /.test(message) ? { kind: 'injected' } : undefined;
}

function accepted(message: string): Told | undefined {
  const [, method, user = '', host = '', port, detail] = ACCEPTED.exec(message) ?? [];
  if (method === undefined) return LOOKS_ACCEPTED.test(message) ? { kind: 'injected' } : undefined;
  if (!NAME.test(user)) return { kind: 'injected' };
  return { kind: 'login', user, ...peerOf(host), port: portOf(port), method, key: keyOf(method, detail) };
}

function keyOf(method: string, detail: string | undefined): string | undefined {
  if (detail === undefined) return undefined;
  // Principals are names that the other side's directory vouches for; what a client says of itself (hostbased) is not kept.
  return method.startsWith('gssapi') ? detail.slice(0, 256) : KEY.exec(detail)?.[1];
}

function session(message: string): Told | undefined {
  const opened = OPENED.exec(message)?.[1];
  if (opened !== undefined) return { kind: 'opened', user: opened };
  const closed = CLOSED.exec(message)?.[1];
  return closed === undefined ? undefined : { kind: 'logout', user: closed };
}
