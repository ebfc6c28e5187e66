import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { Namespace } from '../system/namespace.js';
import { CLI, SEARCH_PATH, systemTest } from '../system/requirements.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/apply/', import.meta.url));

/** A folder with the example, and `blocklist` as a program that calls itself so. */
function copy(): { readonly folder: string; readonly path: string } {
  const root = mkdtempSync(join(tmpdir(), 'blocklist-apply-page-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'page');
  cpSync(EXAMPLE, folder, { recursive: true });
  for (const name of ['bin', 'inner']) mkdirSync(join(root, name));
  symlinkSync(CLI, join(root, 'inner', 'blocklist'));
  const program = join(root, 'bin', 'blocklist');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'inner', 'blocklist')}' "$@"\n`);
  chmodSync(program, 0o755);
  return { folder, path: `${join(root, 'bin')}:${SEARCH_PATH}` };
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

/** Times go on; everything else is as it was. */
function steady(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'DATE')
    .replace(/\d+ s (more|unless)/g, 'SOME s $1')
    .replace(/loaded (just now|\d+ \w+ ago)/g, 'loaded AGE')
    .replace(/ +(now|\d+ minutes?|age) /g, ' AGE ')
    .replace(/rolled back by \S+|unloaded by \S+/g, 'decided by SOMEBODY')
    .trim();
}

systemTest(
  'every command of the page prints what the page shows',
  ['root', 'netns', 'nft'],
  async () => {
    const page = readFileSync(join(EXAMPLE, 'README.md'), 'utf8');
    const { folder, path } = copy();
    const host = await Namespace.create();
    onTestFinished(() => host.remove());
    const commands = commandsOf(page);
    expect(commands.length).toBeGreaterThan(20);
    for (const [command, shown] of commands) {
      const ran = await host.run(['env', `PATH=${path}`, 'sh', '-c', `exec 2>&1; ${command}`], { cwd: folder });
      const printed = ran.stdout.replaceAll(`${folder}/`, '/etc/blocklist/');
      expect({ command, printed: steady(printed) }).toEqual({ command, printed: steady(shown) });
    }
  },
  120_000,
);
