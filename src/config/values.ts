import { z } from 'zod';

/** Values that several parts of `blocklist.yaml` are made of. */

/** Letters, digits and dashes: an id becomes a folder name in the cache and a word in output. */
export const id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and dashes')
  .refine((text) => !text.startsWith('country-'), 'expected another id: country- is for countries')
  .refine((text) => !/^(asn|geo)-/.test(text), 'expected another id: asn- is for networks, and geo- for databases')
  .refine((text) => text !== 'crowdsec', 'expected another id: crowdsec is sources.crowdsec')
  .refine((text) => text !== 'all', 'expected another id: all stands for all sources together')
  .refine((text) => text !== 'fail2ban', 'expected another id: fail2ban is for the bans of sources.fail2ban')
  .describe('name of the source, used in output and as its folder in the cache');

export const direction = z
  .enum(['in', 'out', 'both'])
  .describe('in: drop what comes from these addresses; out: drop what this host and its guests send to them');

export const anyPercent = z
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

/** `90s`, `30m`, `12h`, `14d` → milliseconds; seconds up to three hundred years, as programs write times */
export const duration = z
  .string()
  .regex(/^(\d{1,5}[smhd]|\d{6,10}s)$/, 'expected a time like 30m, 12h or 14d')
  .transform((text) => Number(text.slice(0, -1)) * UNIT_MS[text.slice(-1) as keyof typeof UNIT_MS]);

export const httpUrl = z
  .string()
  .refine(
    (text) => /^https?:\/\//.test(text) && URL.canParse(text.replace('{key}', 'k')),
    'expected an http:// or https:// address',
  )
  .describe('where the list is fetched from; {key} stands for the content of key-file');

export const path = z.string().min(1).describe('relative to the folder of this file');

export const keyFile = path
  .optional()
  .describe('a file that holds the key or user:password of this source, readable by its owner only');
export const keyHeader = z
  .string()
  .regex(/^[A-Za-z0-9-]+$/, 'expected the name of an HTTP header')
  .optional()
  .describe('header that carries the key');
