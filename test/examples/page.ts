import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { Namespace } from '../system/namespace.js';
import { type Ran, run } from '../system/processes.js';
import { CLI, SEARCH_PATH } from '../system/requirements.js';

export interface PageOptions {
  /** fewer commands than these, and the page lost some */
  readonly atLeast: number;
  /** what may differ from run to run made the same: times, names of hosts */
  readonly steady: (text: string) => string;
  /** makes the copy ready: `programs` is a folder that is searched first */
  readonly prepare?: (copy: { readonly folder: string; readonly programs: string }) => Promise<void>;
  /** which commands run in this machine's own network, to reach what a test started there; none when left out */
  readonly runsHere?: (command: string) => boolean;
  /** runs a command in the copy of the folder; in place of a network namespace of its own */
  readonly runIn?: (argv: readonly string[], folder: string) => Promise<Ran>;
}

/**
 * Runs every command of `examples/NAME/README.md` in the order of the page, each in a shell in a copy of the folder and in one network namespace
 * for all, and compares what is printed with what the page shows.
 */
export async function runPage(name: string, options: PageOptions): Promise<void> {
  const { atLeast, steady, prepare, runsHere, runIn } = options;
  const example = fileURLToPath(new URL(`../../examples/${name}/`, import.meta.url));
  const { folder, programs } = copyOf(example);
  await prepare?.({ folder, programs });
  const host = await Namespace.create();
  onTestFinished(() => host.remove());
  const commands = commandsOf(readFileSync(join(example, 'README.md'), 'utf8'));
  expect(commands.length).toBeGreaterThanOrEqual(atLeast);
  for (const [command, shown] of commands) {
    const argv = ['env', `PATH=${programs}:${SEARCH_PATH}`, 'sh', '-c', `exec 2>&1; ${command}`];
    const inHost = () => (runsHere?.(command) === true ? run(argv, { cwd: folder }) : host.run(argv, { cwd: folder }));
    const ran = await (runIn?.(argv, folder) ?? inHost());
    const printed = ran.stdout.replaceAll(`${folder}/`, '/etc/blocklist/');
    expect({ command, printed: steady(printed).trim() }).toEqual({ command, printed: steady(shown).trim() });
  }
}

/** A folder with the example, and `blocklist` as a program that calls itself so. */
function copyOf(example: string): { readonly folder: string; readonly programs: string } {
  const root = mkdtempSync(join(tmpdir(), 'blocklist-page-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'page');
  cpSync(example, folder, { recursive: true });
  for (const name of ['bin', 'inner']) mkdirSync(join(root, name));
  symlinkSync(CLI, join(root, 'inner', 'blocklist'));
  const program = join(root, 'bin', 'blocklist');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'inner', 'blocklist')}' "$@"\n`);
  chmodSync(program, 0o755);
  return { folder, programs: join(root, 'bin') };
}

/** Command lines of the page with what they print. */
function commandsOf(page: string): ReadonlyArray<readonly [command: string, shown: string]> {
  const consoles = [...page.matchAll(/```console\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  return consoles.flatMap((text) =>
    text
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const end = part.indexOf('\n');
        return [part.slice(0, end), part.slice(end + 1)] as const;
      }),
  );
}
