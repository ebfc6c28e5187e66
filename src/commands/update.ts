import type { BuildOptions } from './build.js';
import type { Command } from './context.js';
import { refresh } from './refresh.js';

export interface UpdateOptions extends BuildOptions {
  readonly offline?: boolean;
  readonly force?: boolean;
  readonly source?: readonly string[];
}

/** Fetches what is due, then does what `build` does. */
export const run: Command<UpdateOptions> = ({ offline, force, source = [], acceptChange = [], ...options }, context) =>
  refresh(
    {
      network: offline === true ? 'avoid' : 'use',
      urgency: force === true ? 'force' : 'polite',
      only: source,
      accepted: acceptChange,
    },
    options,
    context,
  );
