import { appendFile, chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { LAPI_NEEDS, Lapi } from '../system/lapi.js';
import { SEARCH_PATH, systemTest } from '../system/requirements.js';
import { runPage } from './page.js';

/** Times go on, and hosts have names of their own. */
function steady(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'DATE').replace(/blocklist\/[\w.-]+,/g, 'blocklist/HOSTNAME,');
}

systemTest(
  'every command of the page on CrowdSec prints what the page shows',
  [...LAPI_NEEDS, 'root', 'netns', 'nft'],
  async () => {
    const lapi = await Lapi.create();
    onTestFinished(() => lapi.remove());
    await runPage('crowdsec', {
      atLeast: 11,
      steady,
      prepare: async ({ folder, programs }) => {
        const config = join(folder, 'blocklist.yaml');
        await writeFile(config, (await readFile(config, 'utf8')).replace('http://127.0.0.1:8080', lapi.url));
        await appendFile(config, 'paths: {cache: ../cache, state: ../state}\n');
        const cscli = `PATH='${SEARCH_PATH}' exec cscli -c '${lapi.folder}/config.yaml' "$@" 2>/dev/null`;
        await writeFile(join(programs, 'cscli'), `#!/bin/sh\n${cscli}\n`);
        await chmod(join(programs, 'cscli'), 0o755);
      },
      // A ban asks the kernel for its right; the API is on the loopback of this machine.
      runsHere: (command) => !command.startsWith('blocklist ban'),
    });
  },
  240_000,
);
