import { cockpit } from './services/cockpit.js';
import { dovecot } from './services/dovecot.js';
import { dropbear } from './services/dropbear.js';
import type { Service } from './services/service.js';
import { sshd } from './services/sshd.js';
import { vsftpd } from './services/vsftpd.js';

/** The services whose logins are read: one file and one line each. */
export const SERVICES: readonly Service[] = [sshd, dovecot, vsftpd, dropbear, cockpit];

/** By the name under which a line was logged, whole: `mallory` is nobody. */
export const BY_PROGRAM: ReadonlyMap<string, Service> = new Map(
  SERVICES.flatMap((service) => service.programs.map((program) => [program, service] as const)),
);
