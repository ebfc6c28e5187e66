import { blockedAddress, blockedCountry } from './blocked.js';
import { afterFailures, newKey, newMethod, notBorneOut, rootByPassword } from './manner.js';
import type { LoginRule } from './rule.js';
import { fastTravel, unexpectedCountry } from './whereabouts.js';

/** What is looked for in a login: one line each. */
export const LOGIN_RULES: readonly LoginRule[] = [
  blockedAddress,
  blockedCountry,
  notBorneOut,
  afterFailures,
  unexpectedCountry,
  fastTravel,
  rootByPassword,
  newKey,
  newMethod,
];
