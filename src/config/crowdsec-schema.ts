import { z } from 'zod';
import { path } from './values.js';

/** What a decision of CrowdSec can be about, as its local API names it in `scopes=`; others, like users and sessions, are no addresses. */
const SCOPES = ['ip', 'range', 'country', 'as'] as const;
export type Scope = (typeof SCOPES)[number];

/** Origins as CrowdSec writes them (pkg/types/constants.go). It takes others, too, but not these in other letters: it would know of no decision. */
const ORIGINS = ['crowdsec', 'cscli', 'cscli-import', 'console', 'lists', 'CAPI'];

/** `sources.crowdsec`: the decisions of a local API (LAPI), and bans of this host sent to it. */
export const crowdsec = z.strictObject({
  url: z
    .string()
    .refine((text) => isPlainServer(text), 'expected the http:// or https:// address of a server, without a query')
    .describe('the local API of CrowdSec, like http://127.0.0.1:8080'),
  'key-file': path.describe('a file that holds the key of cscli bouncers add, readable by its owner only'),
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .refine((all) => new Set(all).size === all.length, 'expected each scope once')
    .default(['ip', 'range'])
    .describe('which decisions block; country and as block whole countries and networks, so they have to be named'),
  origins: z
    .array(
      z
        .string()
        .regex(/^[\w./-]{1,64}(:[\w./ -]{1,64})?$/, 'expected an origin like crowdsec, CAPI or lists:NAME')
        .superRefine((origin, context) => {
          const [base = ''] = origin.split(':');
          const right = ORIGINS.find((each) => each.toLowerCase() === base.toLowerCase());
          if (right !== undefined && right !== base) {
            context.addIssue({ code: 'custom', message: `expected ${right}, in these letters` });
          }
        }),
    )
    .min(1)
    .optional()
    .describe('only decisions that come from there: crowdsec, cscli, cscli-import, CAPI, lists, lists:NAME'),
  timeout: z.int().min(1).max(600).default(60).describe('seconds'),
  push: z
    .strictObject({
      'credentials-file': path.describe(
        'what cscli machines add wrote: url, login and password; readable by its owner only',
      ),
    })
    .optional()
    .describe('send bans that were made on this host to CrowdSec, with every update'),
});

export type CrowdsecEntry = z.output<typeof crowdsec>;

/** Whether the paths of the API can be put behind it. */
export function isPlainServer(text: string): boolean {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { search, hash, username, password } = new URL(text);
  return search === '' && hash === '' && username === '' && password === '';
}
