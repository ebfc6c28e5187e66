import { spawn } from 'node:child_process';
import { BlocklistError } from '../errors.js';
import { failedStart, SYSTEM_ENV } from './run.js';

const NEWLINE = 0x0a;
/** A program that prints nothing for so long hangs. */
const SILENCE_MS = 120_000;

/**
 * What a program prints, line by line, in constant memory: as much is read as the caller takes. Ends the program when the caller stops. A line over `longest`
 * bytes is left out.
 * @throws BlocklistError `program-missing`, `program-timeout` after two minutes of silence, `program-failed` with its last words on a status other than 0
 */
export async function* runLines(
  argv: readonly [string, ...string[]],
  longest: number,
): AsyncGenerator<string, void, undefined> {
  const [program, ...args] = argv;
  const child = spawn(program, args, { env: SYSTEM_ENV, stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString('utf8')).slice(-2000);
  });
  const ended = new Promise<{ status: number | null } | { error: Error }>((resolve) => {
    child.on('error', (error) => resolve({ error }));
    child.on('close', (status) => resolve({ status }));
  });
  let isSilent = false;
  const timer = setTimeout(() => {
    isSilent = true;
    child.kill('SIGKILL');
  }, SILENCE_MS);
  try {
    for await (const line of linesOf(child.stdout, longest, () => timer.refresh())) yield line;
    const result = await ended;
    if ('error' in result) throw failedStart(program, result.error);
    if (isSilent)
      throw new BlocklistError('program-timeout', `${program} printed nothing for two minutes`, { where: program });
    if (result.status === 0) return;
    throw new BlocklistError(
      'program-failed',
      `${program} ended with ${result.status ?? 'a signal'}: ${words.trim()}`,
      {
        where: program,
        hint: 'try it by hand',
      },
    );
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}

/** Lines of a stream of bytes; one over `longest` bytes is left out. @param alive called for each chunk */
export async function* linesOf(
  output: AsyncIterable<Uint8Array>,
  longest: number,
  alive: () => void = () => undefined,
): AsyncGenerator<string, void, undefined> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of output) {
    alive();
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      parts.push(chunk.subarray(from, end));
      size += end - from;
      if (size <= longest) yield Buffer.concat(parts).toString('utf8');
      parts = [];
      size = 0;
      from = end + 1;
    }
    size += chunk.length - from;
    // What is too long is only counted.
    if (size <= longest) parts.push(chunk.subarray(from));
    else parts = [];
  }
  if (size > 0 && size <= longest) yield Buffer.concat(parts).toString('utf8');
}
