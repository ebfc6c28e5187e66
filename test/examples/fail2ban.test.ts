import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { Fail2ban } from '../system/fail2ban-server.js';
import { Namespace } from '../system/namespace.js';
import { until } from '../system/processes.js';
import { CLI, SEARCH_PATH, systemTest } from '../system/requirements.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/fail2ban/', import.meta.url));

function program(path: string, line: string): void {
  writeFileSync(path, `#!/bin/sh\nexec ${line} "$@"\n`);
  chmodSync(path, 0o755);
}

/** Times go on; everything else is as it was. */
function steady(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'DATE')
    .replace(/,\s+/g, ', ')
    .replace(/(timeout|expires) [0-9a-z]+/g, '$1 TIME')
    .replace(/(rendered \S+); .*/, '$1')
    .trim();
}

systemTest(
  'every command of the page on fail2ban prints what the page shows',
  ['root', 'netns', 'nft', 'fail2ban-server', 'fail2ban-client'],
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'blocklist-fail2ban-page-'));
    const host = await Namespace.create();
    const [page, bin] = [join(root, 'page'), join(root, 'bin')];
    cpSync(EXAMPLE, page, { recursive: true });
    for (const name of ['bin', 'inner', 'server']) mkdirSync(join(root, name));
    symlinkSync(CLI, join(root, 'inner', 'blocklist'));
    program(join(bin, 'blocklist'), `'${process.execPath}' '${join(root, 'inner', 'blocklist')}'`);
    program(join(bin, 'fail2ban-client'), `/usr/bin/fail2ban-client -s ${root}/server/socket`);
    // The page is about the usual places; here they are others.
    const yaml = readFileSync(join(page, 'blocklist.yaml'), 'utf8');
    const config = join(page, 'blocklist.yaml');
    writeFileSync(
      config,
      `${yaml.replace('fail2ban: {', `fail2ban: {database: ${root}/server/fail2ban.sqlite3, `)}paths: {cache: cache, state: state}\n`,
    );
    const call = [process.execPath, CLI, '--quiet', '--config', config];
    const inside = (command: string) =>
      host.run(['env', `PATH=${bin}:${SEARCH_PATH}`, 'sh', '-c', `exec 2>&1; ${command}`], { cwd: page });
    for (const command of ['build', 'apply']) await inside(`blocklist ${command}`);
    const server = await Fail2ban.start(host, join(root, 'server'), { sshd: [] }, { program: call });
    onTestFinished(async () => {
      await server.down();
      await host.remove();
      rmSync(root, { recursive: true, force: true });
    });

    const text = readFileSync(join(EXAMPLE, 'README.md'), 'utf8');
    const consoles = [...text.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
      block.split(/^\$ /m).slice(1),
    );
    expect(consoles.length).toBe(8);
    for (const part of consoles) {
      const end = part.indexOf('\n');
      const [command, shown] = [part.slice(0, end), steady(part.slice(end + 1))];
      let printed = '';
      const isAsShown = async () => {
        printed = steady((await inside(command)).stdout);
        return printed === shown;
      };
      // fail2ban acts and writes when it has time, so that who looks may be too early.
      const isLook = /^(nft list|blocklist update)/.test(command);
      if (isLook) await until(command, isAsShown).catch(() => undefined);
      else await isAsShown();
      expect({ command, printed }).toEqual({ command, printed: shown });
    }
    expect(await server.complaints()).toEqual([]);
  },
  240_000,
);
