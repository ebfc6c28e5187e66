import { chmod, lchown, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BlocklistError } from '../errors.js';
import { run } from '../io/run.js';
import { removeTree, unwritable, writeAtomic } from '../io/write.js';
import { below, type FolderSpec, SYSTEM_USER } from './layout.js';
import type { Step } from './plan.js';
import { idsOf, makeUser, requireDone } from './system-user.js';

/** Does one step. A failure leaves the steps before it done; the next run goes on from there. */
export async function carryOut(step: Step, root: string): Promise<void> {
  switch (step.do) {
    case 'write':
      return writeAtomic(below(root, step.file.path), step.file.text);
    case 'make-user':
      return makeUser();
    case 'make-folder':
      return makeFolder(step.folder, root);
    case 'remove':
    case 'purge':
      return removeTree(below(root, step.path));
    case 'remove-user':
      return requireDone(['userdel', SYSTEM_USER], await run(['userdel', SYSTEM_USER]));
    case 'run':
      return requireDone(step.argv, await run(step.argv));
  }
}

async function makeFolder({ path, owner }: FolderSpec, root: string): Promise<void> {
  const place = below(root, path);
  try {
    const made = await mkdir(place, { recursive: true });
    // The umask of whoever installs is not to decide. A folder that was there keeps its mode.
    if (made !== undefined) await chmod(place, 0o755);
    if (root !== '/') return;
    const ids = owner === 'root' ? { uid: 0, gid: 0 } : await idsOf(SYSTEM_USER);
    if (ids === undefined) {
      throw new BlocklistError('program-failed', `there is still no user ${SYSTEM_USER}`, {
        where: '/etc/passwd',
        hint: `make a system user and group ${SYSTEM_USER} by hand, then install again`,
      });
    }
    // What root has fetched or rendered before would be in the way of the system user.
    const inside = owner === 'user' && made === undefined ? await readdir(place, { recursive: true }) : [];
    for (const name of ['', ...inside]) await lchown(join(place, name), ids.uid, ids.gid);
  } catch (cause) {
    throw unwritable(place, cause);
  }
}
