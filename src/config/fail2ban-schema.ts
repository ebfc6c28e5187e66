import { z } from 'zod';
import { path } from './values.js';

/** Where fail2ban keeps its notes and listens (fail2ban.conf, as it is shipped). */
export const FAIL2BAN = {
  database: '/var/lib/fail2ban/fail2ban.sqlite3',
  socket: '/var/run/fail2ban/fail2ban.sock',
  /** only root reads the database; what the nightly update may read of it is here. A folder of root's, and none that the update may write */
  copy: '/var/lib/blocklist/fail2ban/fail2ban.sqlite3',
} as const;

const settings = z.strictObject({
  database: path.optional().describe(`dbfile of fail2ban.conf, where that is not ${FAIL2BAN.database}`),
  socket: path.optional().describe(`socket of fail2ban.conf, where that is not ${FAIL2BAN.socket}`),
  jails: z.array(z.string().min(1).max(100)).min(1).optional().describe('bans of these jails only; default: of all'),
  'permanent-after': z
    .int()
    .min(2)
    .max(365)
    .optional()
    .describe('an address that was banned so often (bancount), or on so many days, is banned for good; default: never'),
});

/** `sources.fail2ban`: true, or where it is and what of it is taken. */
export const fail2ban = z
  .union([z.boolean(), settings])
  .transform((value): Fail2banSettings | undefined => (value === true ? {} : value === false ? undefined : value));

export type Fail2banSettings = z.output<typeof settings>;

/** The same with absolute paths. */
export function fail2banAt(
  value: Fail2banSettings | undefined,
  at: (path: string) => string,
): Fail2banSettings | undefined {
  if (value === undefined) return undefined;
  const { database, socket, ...rest } = value;
  return {
    ...rest,
    ...(database === undefined ? {} : { database: at(database) }),
    ...(socket === undefined ? {} : { socket: at(socket) }),
  };
}
