import { z } from 'zod';

/** The options of feed formats as flat keys: the same in `blocklist.yaml` and in the catalogue. */
export const formatOptionShape = {
  'min-score': z.int().min(1).optional().describe('with format score: leave out entries below this number'),
  column: z
    .union([z.int().min(1), z.string().min(1)], { error: 'expected a number from 1 or a name' })
    .optional()
    .describe(
      'with format csv: the column of the addresses, its number (the first is 1) or its name in the header line',
    ),
  separator: z
    .enum([',', ';', '|', 'tab'])
    .optional()
    .describe('with format csv: what stands between columns; default ,'),
  where: z
    .record(
      z.string().min(1),
      z.union([z.string(), z.array(z.string()).min(1)], { error: 'expected a text or a list of texts' }),
    )
    .optional()
    .describe(
      'with formats csv, json and ndjson: keep only entries whose column or field has this value, or one of these',
    ),
  paths: z
    .array(
      z.string().regex(/^(\[\]|[^.[\]]+(\[\])*)(\.[^.[\]]+(\[\])*)*$/, 'expected a path like prefixes[].ip_prefix'),
    )
    .min(1)
    .optional()
    .describe('with format json: where the addresses are, like prefixes[].ip_prefix; [] is each element of a list'),
  field: z.string().min(1).optional().describe('with format ndjson: the field of the address in each line'),
  keyword: z
    .string()
    .min(1)
    .optional()
    .describe('with format keyword: the word before the address; other lines are no entries'),
  countries: z
    .array(z.string().regex(/^[a-zA-Z]{2}$/, 'expected a two-letter country code (ISO 3166-1) like cn'))
    .min(1)
    .optional()
    .describe('with format delegated: keep only these countries'),
};
const formatOptions = z.object(formatOptionShape);
export type FormatOptions = { [Key in keyof z.output<typeof formatOptions>]?: z.output<typeof formatOptions>[Key] };
export type FormatOption = keyof FormatOptions;

/** Every format, and the options that it takes; `!` marks one that it cannot do without. */
const TAKES = {
  plain: [],
  score: ['min-score'],
  csv: ['!column', 'separator', 'where'],
  json: ['!paths', 'where'],
  ndjson: ['!field', 'where'],
  dshield: [],
  delegated: ['countries'],
  p2p: [],
  'integer-range': [],
  keyword: ['!keyword'],
  rbldnsd: [],
  'host-port': [],
  url: [],
  ripestat: [],
} satisfies Record<string, readonly (FormatOption | `!${FormatOption}`)[]>;

export type FormatName = keyof typeof TAKES;
export const FORMAT_NAMES = Object.keys(TAKES) as [FormatName, ...FormatName[]];

/** For z.superRefine: refuses options of other formats, and a format without what it needs. */
export function checkFormatOptions(
  entry: FormatOptions & { readonly format: FormatName },
  context: z.RefinementCtx,
): void {
  const takes: readonly string[] = TAKES[entry.format];
  for (const key of Object.keys(formatOptionShape) as FormatOption[]) {
    const isGiven = entry[key] !== undefined;
    if (isGiven && !takes.includes(key) && !takes.includes(`!${key}`)) {
      const message = `expected no such key with format ${entry.format}`;
      context.addIssue({ code: 'custom', path: [key], message, input: entry[key] });
    }
    if (!isGiven && takes.includes(`!${key}`)) {
      context.addIssue({ code: 'custom', path: [key], message: `expected, since format ${entry.format} needs it` });
    }
  }
}
