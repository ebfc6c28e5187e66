import { z } from 'zod';

/** The schema of `policy:`, what the rules do with what is listed. */

const RATE = /^([1-9]\d{0,5})\/(second|minute|hour|day)$/;

/** `10/second`, as nft writes it */
const rate = z
  .string()
  .regex(RATE, 'expected a rate like 10/second or 30/minute')
  .transform((text) => {
    const [, count, per] = RATE.exec(text) ?? [];
    return { count: Number(count), per: per as 'second' | 'minute' | 'hour' | 'day' };
  });

/** Some drops a minute tell what goes on; more would fill the disk for whoever wants it full. */
const LOG_RATE = '10/minute';

export const ports = z
  .array(z.int().min(1).max(65_535))
  .min(1)
  .max(256)
  .transform((given) => [...new Set(given)].sort((a, b) => a - b));

/** What the kernel takes as the name of an interface, dev_valid_name() of net/core/dev.c, less what nft would want quoted. */
const interfaceName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}\*?$/, 'expected the name of an interface, like wg0 or docker*');

export const policy = z
  .strictObject({
    drop: z
      .enum(['all', 'new'])
      .default('all')
      .describe('all: running connections end, too; new: those that this host began to a listed host go on'),
    ports: z
      .union([z.literal('all'), ports], { error: 'expected all, or a list of ports like [22, 443]' })
      .transform((given) => (given === 'all' ? [] : given))
      .prefault('all')
      .describe('TCP and UDP ports that listed hosts are kept from, as the client names them; all: everything'),
    'skip-interfaces': z
      .array(interfaceName)
      .max(32)
      .transform((given) => [...new Set(given)].sort())
      .prefault([])
      .describe('what comes in or goes out there is not looked at: [wg0, "docker*"]'),
    'also-outbound': z
      .boolean()
      .default(false)
      .describe('drop what this host and its guests send to listed hosts, too'),
    log: z
      .union([z.boolean(), rate], { error: 'expected true, false, or a rate like 10/minute' })
      .transform((given) => (given === true ? rate.parse(LOG_RATE) : given === false ? undefined : given))
      .prefault(false)
      .describe(`write drops to the kernel log, ${LOG_RATE} unless another rate is given`),
    'icmp-echo-limit': z
      .union([z.literal(false), rate], { error: 'expected false, or a rate like 10/second' })
      .transform((given) => (given === false ? undefined : given))
      .prefault(false)
      .describe('let in so many echo requests (pings) of everybody; other ICMP is not counted'),
  })
  .describe('what the rules do with what is listed');
