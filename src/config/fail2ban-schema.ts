import { z } from 'zod';
import { path } from './values.js';

const settings = z.strictObject({
  database: path.optional().describe('dbfile of fail2ban.conf, where that is not /var/lib/fail2ban/fail2ban.sqlite3'),
  socket: path.optional().describe('socket of fail2ban.conf, where that is not /var/run/fail2ban/fail2ban.sock'),
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
