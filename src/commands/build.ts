import type { Command } from './context.js';
import { refresh } from './refresh.js';

export interface BuildOptions {
  readonly acceptChange?: readonly string[];
}

/** Renders the rules from what is on this machine. */
export const run: Command<BuildOptions> = ({ acceptChange = [], ...options }, context) =>
  refresh({ network: 'avoid', urgency: 'polite', only: [], accepted: acceptChange }, options, context);
