import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tempFolder } from '../io/temp.js';
import { type Ran, type RunOptions, run } from '../system/processes.js';
import { CLI } from '../system/requirements.js';

export interface CliOptions extends RunOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the compiled program, with hardly any environment but `env`. */
export function blocklist(args: readonly string[], { env = {}, ...options }: CliOptions = {}): Promise<Ran> {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return run(['env', ...variables, process.execPath, CLI, ...args], options);
}

/** A folder with these files. */
export async function folderWith(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await tempFolder();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

/** A folder with a `blocklist.yaml` whose cache and state stay inside, and these files beside it. */
export function projectWith(yaml: string, files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<string> {
  return folderWith({ 'blocklist.yaml': `${yaml}\npaths: {cache: cache, state: state}\n`, ...files });
}
