import { type Ran, run } from '../system/processes.js';

/** URL of a module of the compiled program, for scripts that run in a process of their own. */
export function compiled(name: string): string {
  return new URL(`../../dist/${name}`, import.meta.url).href;
}

/**
 * Runs a module of JavaScript in a mount namespace of its own, where `folder` is a file system of `size` bytes. `prepare` is a line of
 * shell that runs before, with the folder as `$1`.
 */
export function scriptOnTmpfs(folder: string, size: string, prepare: string, script: string): Promise<Ran> {
  const shell = `set -e; mount -t tmpfs -o size=${size} none "$1"; ${prepare}; exec "$2" --input-type=module -e "$3" "$1"`;
  return run(['unshare', '-m', 'sh', '-c', shell, 'sh', folder, process.execPath, script]);
}
