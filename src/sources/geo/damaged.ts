import { BlocklistError } from '../../errors.js';

/** A database that cannot be used, and why. */
export function badDatabase(what: string, where: string, cause?: unknown): BlocklistError {
  if (cause instanceof BlocklistError) return cause;
  const why = cause === undefined ? what : `${what}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new BlocklistError('bad-database', `the database cannot be used: ${why}`, {
    where,
    hint: 'fetch it again, or name another one under geo in the configuration',
    cause,
  });
}
