import type { Command } from './context.js';
import { refresh } from './refresh.js';

/** Renders the rules from what is on this machine: last good, files, databases. */
export const run: Command<unknown> = (options, context) => refresh('avoid', options, context);
