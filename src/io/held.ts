import { spawn } from 'node:child_process';
import { BlocklistError } from '../errors.js';
import { SYSTEM_ENV } from './run.js';

/** A process that does nothing but be there, so that others can enter its namespaces. */
export interface Held {
  readonly pid: number;
  readonly release: () => Promise<void>;
}

/**
 * Starts cat(1) behind `prefix` (`unshare -n`) and returns when it answers: then it is where the prefix leads. It ends when
 * it is released, and also when this process is killed, as its input ends with us.
 * @throws BlocklistError `no-permission` with what the prefix said, `program-missing`
 */
export function holdOpen(prefix: readonly [string, ...string[]]): Promise<Held> {
  const [program, ...args] = prefix;
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, 'cat'], { env: SYSTEM_ENV });
    const said: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    child.stdin.on('error', () => undefined);
    child.on('error', (cause: NodeJS.ErrnoException) => {
      const [code, hint] =
        cause.code === 'ENOENT'
          ? (['program-missing', 'install it: apt-get install util-linux'] as const)
          : (['program-failed', 'try it by hand'] as const);
      reject(new BlocklistError(code, `cannot run ${program}: ${cause.message}`, { where: program, hint, cause }));
    });
    const ended = new Promise<void>((end) => {
      child.on('close', () => {
        const [line = ''] = Buffer.concat(said).toString('utf8').trim().split('\n');
        reject(new BlocklistError('no-permission', line || `${program} ended at once`, { where: prefix.join(' ') }));
        end();
      });
    });
    child.stdout.once('data', () => {
      resolve({
        pid: child.pid ?? 0,
        release: () => {
          child.stdin.end();
          return ended;
        },
      });
    });
    child.stdin.write('\n');
  });
}
