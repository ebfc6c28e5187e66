import { Unions } from '../build/unions.js';
import { overlapJson, overlapOf, overlapText } from '../report/overlap.js';
import type { Command } from './context.js';
import { lookOffline } from './look-offline.js';

/** Which sources of the configuration hold the same addresses, and which bring nothing. Asks nobody. */
export const run: Command<unknown> = (options, context) =>
  lookOffline(options, context, ({ block }) => {
    const rows = overlapOf(block, new Unions(block).repeated());
    context.stdout.write(options.json === true ? `${JSON.stringify(overlapJson(rows))}\n` : overlapText(rows));
  });
