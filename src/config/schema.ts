import { z } from 'zod';
import { geo } from './geo-schema.js';
import { notify } from './notify-schema.js';
import { operatorPrefix } from './operator.js';
import { countryWords } from './places.js';
import { policy } from './policy-schema.js';
import { allow, sourceGuardShape, sources } from './source-schema.js';
import { duration, path, percent } from './values.js';

const guards = z.strictObject({
  'max-prefix-v4': sourceGuardShape['max-prefix-v4'].default(8),
  'max-prefix-v6': sourceGuardShape['max-prefix-v6'].default(16),
  'max-rejects': sourceGuardShape['max-rejects'].prefault('5%'),
  shrink: sourceGuardShape.shrink.prefault('50%'),
  grow: sourceGuardShape.grow.prefault('300%'),
  'max-age': sourceGuardShape['max-age'].prefault('14d'),
  'max-coverage': percent
    .prefault('25%')
    .describe('largest share of IPv4 that all sources but countries and asns may cover'),
  'max-country-coverage': percent.prefault('60%').describe('largest share of IPv4 that all sources may cover'),
  'max-allow-coverage': percent.prefault('10%').describe('largest share of IPv4 or IPv6 that one allow feed may cover'),
});

const fetching = z
  .strictObject({
    contact: z
      .string()
      .regex(/^[\w.+@:/?=&%#~-]{3,100}$/, 'expected a mail address or URL')
      .optional()
      .describe('how publishers reach you: a mail address or URL, sent as part of User-Agent'),
    deadline: duration.prefault('10m').describe('what is not fetched by then waits for the next run'),
  })
  .describe('how lists are fetched');

const operator = z.string().transform((text, context) => {
  const parsed = operatorPrefix(text);
  if (parsed.ok) return parsed.prefix;
  context.addIssue({ code: 'custom', message: parsed.problem, input: text });
  return z.NEVER;
});

const logins = z
  .strictObject({
    expected: z
      .strictObject({
        countries: countryWords
          .default([])
          .describe('where everybody may log in from; none: it is learned for each user'),
        nets: z.array(operator).default([]).describe('where everybody may log in from, whatever the country: a VPN'),
      })
      .prefault({}),
    users: z
      .record(z.string().regex(/^[\w.@\\-]{1,64}\$?$/, 'expected the name of an account'), countryWords)
      .default({})
      .describe('by user, in place of those for everybody'),
  })
  .describe('who is expected to log in, for check logins');

const keys = z.strictObject({
  sources: sources.prefault({}),
  allow: allow.prefault({}).describe('always wins'),
  fetch: fetching.prefault({}),
  local: z
    .strictObject({
      admins: z.array(operator).default([]).describe('addresses that an apply must not lock out'),
      auto: z
        .array(z.enum(['own-addresses', 'gateway', 'resolvers']))
        .default(['own-addresses', 'gateway', 'resolvers'])
        .describe('what else of this host and its network must never be dropped'),
    })
    .prefault({})
    .describe('facts of this host; never in the rendered rules'),
  policy: policy.prefault({}),
  geo: geo.prefault({}),
  guards: guards.prefault({}),
  logins: logins.prefault({}),
  notify: notify.prefault({}),
  paths: z
    .strictObject({
      rules: path.default('rules').describe('where the rules are rendered, for git'),
      cache: path.optional().describe('downloaded lists'),
      state: path.optional().describe('what this host knows'),
    })
    .prefault({}),
});

/** `blocklist.yaml`. Every key has a default; `{}` is valid. */
export const configSchema = keys.superRefine(({ sources: { asns }, geo: { asn } }, context) => {
  if (asns.length === 0 || asn !== undefined) return;
  const message =
    'expected a database under geo.asn that knows them; or, in place of this key, a feed by AS number ' +
    '({id: ripestat-asn, for: [4134]} under sources.feeds) or a range file under sources.custom';
  context.addIssue({ code: 'custom', path: ['sources', 'asns'], message, input: asns });
});

export type ConfigValues = z.output<typeof configSchema>;

/** The JSON Schema for editors, as published in the package. */
export function configJsonSchema(): object {
  return { title: 'blocklist.yaml', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}
