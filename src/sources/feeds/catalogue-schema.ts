import { z } from 'zod';
import { checkFormatOptions, FORMAT_NAMES, formatOptionShape } from '../../config/formats.js';

/** The schema of `lists/feeds.json`. */

const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);

const feedSchema = z
  .strictObject({
    id,
    name: z.string(),
    /** all of them are fetched and belong together; `{for}` is replaced by what the configuration asks for, `{key}` by its key */
    urls: z.array(z.string().regex(/^https?:\/\//)).min(1),
    family: z.enum(['4', '6', 'both']),
    /** block: offenders; allow: never to be blocked; the others answer for one country or network at a time */
    role: z.enum(['block', 'allow', 'country', 'asn', 'enrich']),
    direction: z.enum(['in', 'out', 'both']),
    category: z.string(),
    status: z.enum(['alive', 'degraded', 'unverified']),
    format: z.enum(FORMAT_NAMES),
    ...formatOptionShape,
    member: z.string().optional(),
    /** what `for:` holds in the configuration */
    for: z.enum(['country', 'asn', 'id']).optional(),
    /** seconds between two requests */
    interval: z.int().min(300),
    'max-bytes': z.int().min(1),
    /** entries at the date of the facts, for people */
    entries: z.int().min(0).optional(),
    'can-be-empty': z.boolean().default(false),
    'max-prefix-v4': z.int().min(1).max(32).optional(),
    'max-prefix-v6': z.int().min(1).max(128).optional(),
    /** days; for feeds that change every day while they live */
    'max-unchanged': z.int().min(1).optional(),
    /** days; where old data does harm */
    'max-age': z.int().min(1).optional(),
    key: z
      .strictObject({
        in: z.enum(['header', 'url', 'basic']),
        header: z.string().optional(),
        required: z.boolean(),
        get: z.string(),
      })
      .optional(),
    /** the server refuses requests without a contact in User-Agent */
    'wants-contact': z.boolean().default(false),
    risk: z.enum(['very-low', 'low', 'low-medium', 'medium', 'medium-high', 'high', 'very-high', 'policy', 'none']),
    licence: z.string(),
    terms: z.strictObject({ commercial: z.string(), redistribute: z.string() }),
    notes: z.string().optional(),
    /** why this program cannot or will not use it as a source, and what to do */
    refused: z.string().optional(),
    /** a body that ships with the package, where its licence allows that */
    snapshot: z
      .strictObject({ file: z.string(), date: z.iso.date(), commit: z.string(), licenceFile: z.string() })
      .optional(),
  })
  .superRefine(checkFormatOptions);

export const catalogueSchema = z.strictObject({
  version: z.literal(2),
  profiles: z.record(id, z.strictObject({ description: z.string(), feeds: z.array(id).min(1) })),
  feeds: z.array(feedSchema),
  /** known by name, so that a configuration from elsewhere gets an answer */
  dead: z.array(z.strictObject({ id, name: z.string(), why: z.string(), instead: z.array(id) })),
});

export type CatalogueFeed = z.output<typeof feedSchema>;
export type Catalogue = z.output<typeof catalogueSchema>;
