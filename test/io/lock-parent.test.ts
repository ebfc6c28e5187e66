import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { run } from '../system/processes.js';
import { systemTest, WITHOUT_RIGHTS } from '../system/requirements.js';
import { tempFolder } from './temp.js';
import { compiled } from './tmpfs.js';

/** As /var/lib/blocklist of a service user in /var/lib of root: systemd's StateDirectory. */
systemTest('a state folder of ours in a folder of somebody else can be locked', ['root', 'setpriv'], async () => {
  const parent = join(await tempFolder(), 'of-another');
  const state = join(parent, 'state');
  await mkdir(state, { recursive: true });
  await chown(parent, 1234, 1234);
  const script = `
    import { withLock } from '${compiled('io/lock.js')}';
    console.log(await withLock(process.argv[1], async () => 'worked').catch(({ code, message }) => code + ': ' + message));
  `;
  const { stdout } = await run([...WITHOUT_RIGHTS, process.execPath, '--input-type=module', '-e', script, state]);
  expect(stdout).toBe('worked\n');
});
