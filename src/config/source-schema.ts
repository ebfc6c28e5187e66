import { z } from 'zod';
import { bans } from './bans-schema.js';
import { crowdsec } from './crowdsec-schema.js';
import { fail2ban } from './fail2ban-schema.js';
import { checkFormatOptions, FORMAT_NAMES, formatOptionShape } from './formats.js';
import { asns, countryWords } from './places.js';
import { ports } from './policy-schema.js';
import { anyPercent, direction, duration, httpUrl, id, keyFile, keyHeader, path, percent } from './values.js';

/** The schema of `sources:` and of lists anywhere in `blocklist.yaml`. */

/** Limits on one source; those of the whole file are the defaults of each. */
export const sourceGuardShape = {
  'max-prefix-v4': z.int().min(1).max(32).describe('a source with a wider IPv4 block is refused'),
  'max-prefix-v6': z.int().min(1).max(128).describe('a source with a wider IPv6 block is refused'),
  'max-rejects': percent.describe('a source with a larger share of unreadable lines is refused'),
  shrink: percent.describe('a body with fewer than this share of the entries of last good is refused'),
  grow: anyPercent.describe('a body with more than this share of the entries of last good is refused'),
  'max-age': duration.describe('a source whose last good is older than this counts as failing'),
};

const ownGuards = z
  .strictObject({
    ...sourceGuardShape,
    'max-unchanged': duration.describe('a source whose content is the same for longer than this counts as failing'),
    'can-be-empty': z.boolean().describe('an empty list is right for this source'),
  })
  .partial()
  .describe('limits of this source alone, in place of those under guards');

const dense = (prefix: number, narrowest: number) =>
  z.strictObject({
    prefix: z.int().min(8).max(narrowest).default(prefix).describe('length of the net'),
    'at-least': z.int().min(2).describe('nodes in it that make the whole net listed'),
  });
const density = z
  .strictObject({ v4: dense(24, 31).optional(), v6: dense(64, 127).optional() })
  .describe('nets in which so many single addresses are listed are listed as a whole; allow still wins');

const replacements = z
  .array(
    z
      .union(
        [z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'expected a country code, an AS number or an id'), z.int().min(1)],
        { error: 'expected a country code, an AS number or an id' },
      )
      .transform(String),
  )
  .min(1)
  .optional()
  .describe('for catalogue feeds by country or network: which ones, like [cn, ru] or [AS4134]');

const ID_OR_MAP = 'expected an id or a map with the key id';

const feed = z.union(
  [
    id,
    z.strictObject({
      id,
      direction: direction.optional(),
      density: density.optional(),
      guards: ownGuards.optional(),
      'key-file': keyFile,
      for: replacements,
    }),
  ],
  { error: ID_OR_MAP },
);

const allowFeed = z.union(
  [id, z.strictObject({ id, guards: ownGuards.optional(), 'key-file': keyFile, for: replacements })],
  { error: ID_OR_MAP },
);

const listShape = {
  id,
  direction: direction.default('in'),
  format: z.enum(FORMAT_NAMES).default('plain').describe('how the list is written; see examples/feeds'),
  ...formatOptionShape,
  member: z.string().min(1).optional().describe('the file meant, when a zip or tar holds more than one'),
  'max-bytes': z
    .int()
    .min(1)
    .max(2 ** 31)
    .default(67_108_864)
    .describe('cap on the body, packed and unpacked'),
  density: density.optional(),
  guards: ownGuards.optional(),
};

const custom = z
  .union([
    z.strictObject({ ...listShape, file: path }),
    z.strictObject({
      ...listShape,
      url: httpUrl,
      timeout: z.int().min(1).max(600).default(60).describe('seconds'),
      interval: duration.prefault('0s').describe('not asked again before this has passed'),
      'key-file': keyFile,
      'key-header': keyHeader,
    }),
  ])
  .superRefine(checkFormatOptions);

export const sources = z
  .strictObject({
    profile: id.optional().describe('a named set of catalogue feeds; blocklist feeds list names them'),
    feeds: z.array(feed).default([]).describe('feeds of the catalogue'),
    custom: z.array(custom).default([]).describe('lists of your own: a file or an address'),
    countries: z
      .strictObject({
        block: countryWords.default([]).describe('two-letter codes, and continents by name like europe'),
        only: countryWords.min(1).optional().describe('the same: whoever is elsewhere may not connect'),
        ports: ports
          .optional()
          .describe('with only: TCP and UDP ports that it holds for, as the client names them; default: everything'),
        unknown: z
          .enum(['pass', 'drop'])
          .optional()
          .describe(
            'addresses that the country database gives to no country; default: pass with block, drop with only',
          ),
      })
      .superRefine(({ block, only, ports }, context) => {
        if (only !== undefined && block.length > 0) {
          context.addIssue({ code: 'custom', path: ['only'], message: 'expected either block or only' });
        }
        if (only === undefined && ports !== undefined) {
          context.addIssue({
            code: 'custom',
            path: ['ports'],
            message: 'expected only beside it: ports limit what only forbids',
          });
        }
      })
      .prefault({})
      .describe('whole countries'),
    asns: asns.default([]).describe('whole networks by AS number, found in the database that geo.asn names'),
    bans: bans.default([]).describe('bans that other hosts exported'),
    crowdsec: crowdsec.optional().describe('decisions of CrowdSec'),
    fail2ban: fail2ban.optional().describe('bans of fail2ban on this host'),
    density: density.optional(),
  })
  .superRefine(({ feeds, custom, bans }, context) => {
    const seen = new Set<string>();
    const ids = [
      ...feeds.map((entry, i) => [['feeds', i], typeof entry === 'string' ? entry : entry.id] as const),
      ...custom.map((entry, i) => [['custom', i], entry.id] as const),
      ...bans.map((entry, i) => [['bans', i], entry.id] as const),
    ];
    for (const [path, name] of ids) {
      if (seen.has(name))
        context.addIssue({ code: 'custom', path: [...path], message: `expected another id: ${name} is taken` });
      seen.add(name);
    }
  });

export const allow = z.strictObject({
  files: z.array(path).default([]).describe('lists of addresses that are never blocked'),
  feeds: z.array(allowFeed).default([]).describe('feeds of the catalogue whose addresses are never blocked'),
});

export type OwnGuards = z.output<typeof ownGuards>;
export type FeedEntry = z.output<typeof feed>;
export type CustomEntry = z.output<typeof custom>;
