import { createInterface } from 'node:readline/promises';
import { Readable } from 'node:stream';
import { BlocklistError } from '../errors.js';
import type { Context } from './context.js';

export type Ask = (question: string) => Promise<string>;

/** Whether somebody is there to be asked. */
export function isTerminal({ stdin }: Context): boolean {
  return 'isTTY' in stdin && stdin.isTTY === true;
}

/**
 * Hands on a way to ask questions on the terminal. Lines are kept until they are asked for, so that answers may be pasted all at once.
 * @throws BlocklistError `not-confirmed` when the input ends in the middle
 */
export async function withQuestions<T>({ stdin, stderr }: Context, work: (ask: Ask) => Promise<T>): Promise<T> {
  // The terminal itself edits and shows the line.
  const prompt = createInterface({ input: Readable.from(stdin), terminal: false });
  const lines = prompt[Symbol.asyncIterator]();
  try {
    return await work(async (question) => {
      stderr.write(question);
      const { value, done } = await lines.next();
      if (done !== true) return value.trim();
      throw new BlocklistError('not-confirmed', 'no answer; nothing was changed', {
        hint: 'answer, or say it with flags: see --help',
      });
    });
  } finally {
    prompt.close();
  }
}

/** Asks on a terminal; anywhere else the answer is no. */
async function confirmed(question: string, context: Context): Promise<boolean> {
  if (!isTerminal(context)) return false;
  return withQuestions(context, async (ask) => /^y(es)?$/i.test(await ask(question)));
}

/** Goes on only with a yes. @throws BlocklistError `not-confirmed` */
export async function requireYes(question: string, yes: boolean | undefined, context: Context): Promise<void> {
  if (yes === true || (await confirmed(question, context))) return;
  throw new BlocklistError('not-confirmed', 'not confirmed; nothing was changed', {
    hint: 'answer y, or add --yes where nobody can be asked',
  });
}
