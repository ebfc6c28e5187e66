import type { Command } from './context.js';
import { refresh } from './refresh.js';

/** Fetches what may have changed, then does what `build` does. */
export const run: Command<unknown> = (options, context) => refresh('use', options, context);
