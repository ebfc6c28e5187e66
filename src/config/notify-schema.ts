import { z } from 'zod';
import { path } from './values.js';

/** `notify`: who is told of findings that are new. */
export const notify = z
  .strictObject({
    mail: z
      .array(
        z
          .string()
          .regex(
            /^[A-Za-z0-9_.+][\w.+-]{0,62}(@[A-Za-z0-9.-]{1,250})?$/,
            'expected a mail address, or an account of this host',
          ),
      )
      .min(1)
      .optional()
      .describe('by the sendmail program of this host'),
    'webhook-file': path
      .optional()
      .describe(
        'a file with the address that a message is posted to, as JSON {"text": …}; readable by its owner only, since who has the address can post',
      ),
  })
  .describe('who is told of new findings of check, with --notify');

export type NotifyEntry = z.output<typeof notify>;
