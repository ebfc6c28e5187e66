import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { LAPI_NEEDS, Lapi } from '../system/lapi.js';
import { Namespace } from '../system/namespace.js';
import { run } from '../system/processes.js';
import { CLI, SEARCH_PATH, systemTest } from '../system/requirements.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/crowdsec/', import.meta.url));

/** A copy of the example for this API, and programs that call themselves as the page does. */
function copy(lapi: Lapi): { readonly folder: string; readonly path: string } {
  const root = mkdtempSync(join(tmpdir(), 'blocklist-crowdsec-page-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'page');
  cpSync(EXAMPLE, folder, { recursive: true });
  const config = join(folder, 'blocklist.yaml');
  writeFileSync(config, readFileSync(config, 'utf8').replace('http://127.0.0.1:8080', lapi.url));
  for (const name of ['bin', 'inner']) mkdirSync(join(root, name));
  symlinkSync(CLI, join(root, 'inner', 'blocklist'));
  const places = `BLOCKLIST_CACHE_DIR='${root}/cache' BLOCKLIST_STATE_DIR='${root}/state'`;
  const programs = {
    blocklist: `${places} exec '${process.execPath}' '${join(root, 'inner', 'blocklist')}' "$@"`,
    cscli: `PATH='${SEARCH_PATH}' exec cscli -c '${lapi.folder}/config.yaml' "$@" 2>/dev/null`,
  };
  for (const [name, line] of Object.entries(programs)) {
    writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${line}\n`);
    chmodSync(join(root, 'bin', name), 0o755);
  }
  return { folder, path: `${join(root, 'bin')}:${SEARCH_PATH}` };
}

/** Command lines of the page with what they print. */
function commandsOf(page: string): ReadonlyArray<readonly [command: string, shown: string]> {
  const consoles = [...page.matchAll(/```console\n\$ ([\s\S]*?)```/g)].map(([, text = '']) => text);
  return consoles.flatMap((text) =>
    text.split(/^\$ /m).map((part) => {
      const end = part.indexOf('\n');
      return [part.slice(0, end), part.slice(end + 1)] as const;
    }),
  );
}

/** Times go on; everything else is as it was. */
function steady(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'DATE')
    .replace(/blocklist\/[\w.-]+,/g, 'blocklist/HOSTNAME,')
    .trim();
}

systemTest(
  'every command of the page prints what the page shows',
  [...LAPI_NEEDS, 'root', 'netns', 'nft'],
  async () => {
    const page = readFileSync(join(EXAMPLE, 'README.md'), 'utf8');
    const lapi = await Lapi.create();
    onTestFinished(() => lapi.remove());
    const host = await Namespace.create();
    onTestFinished(() => host.remove());
    const { folder, path } = copy(lapi);
    const commands = commandsOf(page);
    expect(commands.length).toBeGreaterThan(10);
    for (const [command, shown] of commands) {
      const argv = ['env', `PATH=${path}`, 'sh', '-c', `exec 2>&1; ${command}`];
      // A ban asks the kernel for its right; the API is on the loopback of this machine.
      const inside = command.startsWith('blocklist ban');
      const ran = await (inside ? host.run(argv, { cwd: folder }) : run(argv, { cwd: folder }));
      const printed = ran.stdout.replaceAll(`${folder}/`, '').replaceAll(lapi.url, 'http://127.0.0.1:8080');
      expect({ command, printed: steady(printed) }).toEqual({ command, printed: steady(shown) });
    }
  },
  120_000,
);
