import { type Config, parseConfig } from '../../src/config/load.js';
import { BlocklistError } from '../../src/errors.js';

/** Where the documents of the tests pretend to be. */
export const FILE = '/srv/blocklist/blocklist.yaml';

export function parsed(text: string): Config {
  return parseConfig(text, FILE);
}

/** The BlocklistError that a document ends with. */
export function refused(text: string): BlocklistError {
  try {
    parsed(text);
  } catch (error) {
    if (error instanceof BlocklistError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

/** The lines of the message, each without the path of the file: `3: sources.feeds[0]: …`. */
export function messages(text: string): string[] {
  return refused(text)
    .message.split('\n')
    .map((line) => (line.startsWith(`${FILE}:`) ? line.slice(FILE.length + 1) : line));
}
