import type { Service, Told } from './service.js';

/** The line has no address; the record of the session in utmp or logind has. */
const OPENED = /^pam_unix\(cockpit:session\): session opened for user (\S{1,256}?)(?:\(uid=\d{1,10}\))? by /;
const CLOSED = /^pam_unix\(cockpit:session\): session closed for user (\S{1,256})$/;

/** The web console: cockpit-session(8). */
export const cockpit: Service = {
  name: 'cockpit',
  programs: ['cockpit-session'],
  executables: ['cockpit-session'],
  needles: ['(cockpit:session)'],
  read,
  isOfRoot: () => true,
};

function read(message: string): Told | undefined {
  const user = OPENED.exec(message)?.[1];
  if (user !== undefined) return { kind: 'login', user };
  const closed = CLOSED.exec(message)?.[1];
  return closed === undefined ? undefined : { kind: 'logout', user: closed };
}
