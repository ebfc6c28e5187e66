import { createInterface } from 'node:readline/promises';
import { Readable } from 'node:stream';
import { BlocklistError } from '../errors.js';
import type { Context } from './context.js';

/** Asks on a terminal; anywhere else the answer is no. @throws BlocklistError `not-confirmed` */
export async function requireYes(question: string, yes: boolean | undefined, context: Context): Promise<void> {
  if (yes === true || (await isYes(question, context))) return;
  throw new BlocklistError('not-confirmed', 'not confirmed; nothing was changed', {
    hint: 'answer y, or add --yes where nobody can be asked',
  });
}

async function isYes(question: string, { stdin, stderr }: Context): Promise<boolean> {
  if (!('isTTY' in stdin) || stdin.isTTY !== true) return false;
  const prompt = createInterface({ input: Readable.from(stdin), output: stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`${question} Go on? [y/N] `)).trim());
  } finally {
    prompt.close();
  }
}
