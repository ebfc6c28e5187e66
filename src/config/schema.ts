import { z } from 'zod';
import { operatorPrefix } from './operator.js';

/** Letters, digits and dashes: an id becomes a folder name in the cache and a word in output. */
const id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and dashes')
  .refine((text) => !text.startsWith('country-'), 'expected another id: country- is for countries')
  .describe('name of the source, used in output and as its folder in the cache');

const direction = z
  .enum(['in', 'out', 'both'])
  .describe('in: drop what comes from these addresses; out: drop what this host and its guests send to them');

const percent = z
  .string()
  .regex(/^\d{1,3}(\.\d+)?%$/, 'expected a share like 25%')
  .refine((text) => Number(text.slice(0, -1)) <= 100, 'expected at most 100%')
  .transform((text) => Number(text.slice(0, -1)) / 100);

const httpUrl = z
  .string()
  .refine((text) => /^https?:\/\//.test(text) && URL.canParse(text), 'expected an http:// or https:// address')
  .describe('where the list is fetched from');

const path = z.string().min(1).describe('relative to the folder of this file');

const feed = z.union([id, z.strictObject({ id, direction: direction.optional() })]);

const listShape = {
  id,
  direction: direction.default('in'),
  format: z.enum(['plain', 'score']).default('plain').describe('plain: one entry a line; score: entry, blank, number'),
  'min-score': z.int().min(1).optional().describe('with format score: leave out entries below this number'),
  'max-bytes': z.int().min(1).default(67_108_864).describe('cap on the body, packed and unpacked'),
};

const custom = z.union([
  z.strictObject({ ...listShape, file: path }),
  z.strictObject({ ...listShape, url: httpUrl, timeout: z.int().min(1).max(600).default(60).describe('seconds') }),
]);

const country = z
  .string()
  .regex(/^[a-zA-Z]{2}$/, 'expected a two-letter country code (ISO 3166-1) like cn')
  .transform((code) => code.toLowerCase());

const sources = z
  .strictObject({
    feeds: z.array(feed).default([]).describe('feeds of the catalogue'),
    custom: z.array(custom).default([]).describe('lists of your own: a file or an address'),
    countries: z
      .strictObject({
        block: z.array(country).default([]).describe('two-letter codes'),
      })
      .prefault({})
      .describe('whole countries'),
  })
  .superRefine(({ feeds, custom, countries }, context) => {
    const seen = new Set<string>();
    const ids = [
      ...feeds.map((entry, i) => [['feeds', i], typeof entry === 'string' ? entry : entry.id] as const),
      ...custom.map((entry, i) => [['custom', i], entry.id] as const),
      ...countries.block.map((code, i) => [['countries', 'block', i], `country-${code}`] as const),
    ];
    for (const [path, name] of ids) {
      if (seen.has(name))
        context.addIssue({ code: 'custom', path: [...path], message: `expected another id: ${name} is taken` });
      seen.add(name);
    }
  });

const guards = z.strictObject({
  'max-prefix-v4': z.int().min(1).max(32).default(8).describe('a source with a wider IPv4 block is refused'),
  'max-prefix-v6': z.int().min(1).max(128).default(16).describe('a source with a wider IPv6 block is refused'),
  'max-rejects': percent.prefault('5%').describe('a source with a larger share of unreadable lines is refused'),
  'max-coverage': percent.prefault('25%').describe('largest share of IPv4 that all sources but countries may cover'),
  'max-country-coverage': percent.prefault('60%').describe('largest share of IPv4 that all sources may cover'),
});

const operator = z.string().transform((text, context) => {
  const parsed = operatorPrefix(text);
  if (parsed.ok) return parsed.prefix;
  context.addIssue({ code: 'custom', message: parsed.problem, input: text });
  return z.NEVER;
});

/** `blocklist.yaml`. Every key has a default; `{}` is valid. */
export const configSchema = z.strictObject({
  sources: sources.prefault({}),
  allow: z
    .strictObject({ files: z.array(path).default([]).describe('lists of addresses that are never blocked') })
    .prefault({}),
  local: z
    .strictObject({ admins: z.array(operator).default([]).describe('addresses that an apply must not lock out') })
    .prefault({})
    .describe('facts of this host; never in the rendered rules'),
  guards: guards.prefault({}),
  paths: z
    .strictObject({
      rules: path.default('rules').describe('where the rules are rendered, for git'),
      cache: path.optional().describe('downloaded lists'),
      state: path.optional().describe('what this host knows'),
      'country-database': path.optional().describe('an mmdb file; default: the bundled CC0 database'),
    })
    .prefault({}),
});

export type ConfigValues = z.output<typeof configSchema>;

/** The JSON Schema for editors, as published in the package. */
export function configJsonSchema(): object {
  return { title: 'blocklist.yaml', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}
