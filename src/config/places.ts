import { z } from 'zod';
import { CONTINENT_NAMES } from './continents.js';

/** What names a country or a network in a configuration. */

const countryWord = z
  .string()
  .regex(
    new RegExp(`^([a-zA-Z]{2}|${CONTINENT_NAMES.join('|')})$`),
    'expected a two-letter country code (ISO 3166-1) like cn, or a continent like europe',
  )
  .transform((word) => word.toLowerCase());

/** Two-letter codes (lower case) and names of continents; config/continents.ts tells which countries they stand for. */
export const countryWords = z.array(countryWord).superRefine((words, context) => {
  for (const i of repeatedIn(words)) {
    const name = `country-${words[i]}`;
    context.addIssue({ code: 'custom', path: [i], message: `expected another id: ${name} is taken` });
  }
});

const LARGEST_ASN = 0xffffffff;

const asn = z
  .union(
    [
      z.int().min(1).max(LARGEST_ASN),
      z
        .string()
        .regex(/^[Aa][Ss][1-9]\d{0,9}$/, 'expected an AS number like AS4134 or 4134')
        .transform((text) => Number(text.slice(2)))
        .refine((value) => value <= LARGEST_ASN, `expected an AS number up to AS${LARGEST_ASN}`),
    ],
    { error: 'expected an AS number like AS4134 or 4134' },
  )
  .describe('number of an autonomous system (RFC 6793)');

export const asns = z.array(asn).superRefine((numbers, context) => {
  for (const i of repeatedIn(numbers)) {
    const name = `asn-${numbers[i]}`;
    context.addIssue({ code: 'custom', path: [i], message: `expected another number: ${name} is taken` });
  }
});

/** Places of what stood there before. */
function repeatedIn(values: ReadonlyArray<string | number>): number[] {
  return values.flatMap((value, i) => (values.indexOf(value) < i ? [i] : []));
}
