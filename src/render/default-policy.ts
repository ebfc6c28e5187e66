import type { Policy } from '../build/policy.js';

/** Where nobody says otherwise: everything of whoever is listed. */
export const DEFAULT_POLICY: Policy = {
  drop: 'all',
  ports: [],
  skipInterfaces: [],
  alsoOutbound: false,
  log: undefined,
  echoLimit: undefined,
};
