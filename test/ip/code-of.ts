import { BlocklistError } from '../../src/ip/index.js';

/** The code of the BlocklistError that `run` throws, `none` when it throws nothing; any other error goes through. */
export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof BlocklistError) return error.code;
    throw error;
  }
  return 'none';
}
