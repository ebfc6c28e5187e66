import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { type RunOptions, type RunResult, run } from '../io/run.js';

/** Text of another program for a message: one line, cut. */
export function said(stderr: string): string {
  return stderr.trim().split('\n').slice(0, 3).join(' ').slice(0, 300);
}

/** What a program prints when all goes well. @throws BlocklistError `program-failed` for any other exit status than 0, and as `run`. */
export async function ask(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<string> {
  const ran = await run(argv, options);
  if (ran.status === 0) return ran.stdout.toString('utf8');
  throw failed(argv, ran);
}

/** For a program that ended with another status than it should. */
export function failed(argv: readonly string[], { status, stderr }: RunResult): BlocklistError {
  return new BlocklistError('program-failed', `${argv[0]} failed: ${said(stderr) || `exit status ${status}`}`, {
    where: argv.join(' '),
    hint: 'try it by hand',
  });
}

/** Its JSON, checked. Nothing at all (`ip -j` before iproute2 5.1, when there is nothing to show) is an empty list. */
export async function askJson<T extends z.ZodType>(
  argv: readonly [string, ...string[]],
  schema: T,
): Promise<z.output<T>> {
  const text = await ask(argv);
  try {
    return schema.parse(JSON.parse(text.trim() || '[]'));
  } catch (cause) {
    const why =
      cause instanceof z.ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : String(cause);
    throw new BlocklistError('program-failed', `${argv[0]} printed something unexpected: ${why}`, {
      where: argv.join(' '),
      hint: `report this with the output of ${argv[0]} -V`,
      cause,
    });
  }
}
