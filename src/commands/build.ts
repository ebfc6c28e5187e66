import type { Command } from './context.js';
import { refresh } from './refresh.js';

export interface BuildOptions {
  readonly acceptChange?: readonly string[];
  /** firewalld: its form beside the artefact */
  readonly format?: 'nft' | 'firewalld';
}

/** Renders the rules from what is on this machine. */
export const run: Command<BuildOptions> = ({ acceptChange = [], format = 'nft', ...options }, context) =>
  refresh({ network: 'avoid', urgency: 'polite', only: [], accepted: acceptChange, format }, options, context);
