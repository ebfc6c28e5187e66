import { peerOf } from '../peer.js';
import type { Service, Told } from './service.js';

/** vsftpd logging.c; into syslog and into its own log alike */
const LINE = /^\[(.{0,256})\] (OK|FAIL) LOGIN: Client "([^"]{2,64})"(?:, .*)?$/;

export const vsftpd: Service = {
  name: 'vsftpd',
  programs: ['vsftpd'],
  executables: ['vsftpd'],
  needles: ['OK LOGIN: Client '],
  read,
  isOfRoot: () => true,
};

function read(message: string): Told | undefined {
  const [, user = '', result, client = ''] = LINE.exec(message) ?? [];
  if (result === undefined) return undefined;
  return { kind: result === 'OK' ? 'login' : 'failure', user, ...peerOf(client) };
}
