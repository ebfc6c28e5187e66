import { peerOf } from '../peer.js';
import { portOf, type Service, type Told } from './service.js';

/** dropbear svr-authpubkey.c, svr-authpasswd.c, svr-authpam.c: the last colon splits the port. */
const PUBKEY = /^Pubkey auth succeeded for '([^']{1,256})' with \S{1,60} key (\S{1,128}) from (\S{2,256}):(\d{1,5})$/;
const PASSWORD = /^(?:Password|PAM password) auth succeeded for '([^']{1,256})' from (\S{2,256}):(\d{1,5})$/;
const FAILED =
  /^(?:Bad (?:PAM )?password attempt for '(.{0,256})'|Login attempt for nonexistent user) from (\S{2,256}):(\d{1,5})$/;
/** svr-session.c: the reason stands behind the name */
const EXIT = /^Exit \(([^)]{1,256})\) from <(\S{2,256}):(\d{1,5})>/;

export const dropbear: Service = {
  name: 'dropbear',
  programs: ['dropbear'],
  executables: ['dropbear', 'dropbearmulti'],
  needles: ['Pubkey auth succeeded', 'Password auth succeeded', 'PAM password auth succeeded', 'Exit ('],
  read,
  isOfRoot: ({ kind }) => kind === 'login',
};

function read(message: string): Told | undefined {
  const pubkey = PUBKEY.exec(message);
  if (pubkey !== null) {
    const [, user = '', key, host = '', port] = pubkey;
    return { kind: 'login', user, ...peerOf(host), port: portOf(port), method: 'publickey', key };
  }
  const password = PASSWORD.exec(message);
  if (password !== null) {
    const [, user = '', host = '', port] = password;
    return { kind: 'login', user, ...peerOf(host), port: portOf(port), method: 'password' };
  }
  const exit = EXIT.exec(message);
  if (exit !== null) {
    const [, user, host = '', port] = exit;
    return { kind: 'logout', user, address: peerOf(host).address, port: portOf(port) };
  }
  const [failed, user = '', host = '', port] = FAILED.exec(message) ?? [];
  return failed === undefined ? undefined : { kind: 'failure', user, ...peerOf(host), port: portOf(port) };
}
