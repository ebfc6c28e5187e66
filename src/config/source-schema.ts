import { z } from 'zod';
import { checkFormatOptions, FORMAT_NAMES, formatOptionShape } from './formats.js';
import { asns, countryWords } from './places.js';

/** The schema of `sources:` and of lists anywhere in `blocklist.yaml`. */

/** Letters, digits and dashes: an id becomes a folder name in the cache and a word in output. */
const id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and dashes')
  .refine((text) => !text.startsWith('country-'), 'expected another id: country- is for countries')
  .refine((text) => !/^(asn|geo)-/.test(text), 'expected another id: asn- is for networks, and geo- for databases')
  .refine((text) => text !== 'fail2ban' && text !== 'crowdsec', 'expected another id: this one is for their bans')
  .refine((text) => text !== 'all', 'expected another id: all stands for all sources together')
  .describe('name of the source, used in output and as its folder in the cache');

const direction = z
  .enum(['in', 'out', 'both'])
  .describe('in: drop what comes from these addresses; out: drop what this host and its guests send to them');

const anyPercent = z
  .string()
  .regex(/^\d{1,6}(\.\d+)?%$/, 'expected a share like 25%')
  .transform((text) => Number(text.slice(0, -1)) / 100);

/** 0…1 */
export const percent = z
  .string()
  .regex(/^\d{1,3}(\.\d+)?%$/, 'expected a share like 25%')
  .refine((text) => Number(text.slice(0, -1)) <= 100, 'expected at most 100%')
  .transform((text) => Number(text.slice(0, -1)) / 100);

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `90s`, `30m`, `12h`, `14d` → milliseconds */
export const duration = z
  .string()
  .regex(/^\d{1,5}[smhd]$/, 'expected a time like 30m, 12h or 14d')
  .transform((text) => Number(text.slice(0, -1)) * UNIT_MS[text.slice(-1) as keyof typeof UNIT_MS]);

export const httpUrl = z
  .string()
  .refine(
    (text) => /^https?:\/\//.test(text) && URL.canParse(text.replace('{key}', 'k')),
    'expected an http:// or https:// address',
  )
  .describe('where the list is fetched from; {key} stands for the content of key-file');

export const path = z.string().min(1).describe('relative to the folder of this file');

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

export const keyFile = path
  .optional()
  .describe('a file that holds the key or user:password of this source, readable by its owner only');
export const keyHeader = z
  .string()
  .regex(/^[A-Za-z0-9-]+$/, 'expected the name of an HTTP header')
  .optional()
  .describe('header that carries the key');
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
        unknown: z
          .enum(['pass', 'drop'])
          .default('pass')
          .describe('what becomes of addresses that the country database gives to no country'),
      })
      .prefault({})
      .describe('whole countries'),
    asns: asns.default([]).describe('whole networks by AS number, found in the database that geo.asn names'),
    density: density.optional(),
  })
  .superRefine(({ feeds, custom }, context) => {
    const seen = new Set<string>();
    const ids = [
      ...feeds.map((entry, i) => [['feeds', i], typeof entry === 'string' ? entry : entry.id] as const),
      ...custom.map((entry, i) => [['custom', i], entry.id] as const),
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
