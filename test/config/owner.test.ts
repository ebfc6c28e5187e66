import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireTrusted } from '../../src/config/owner.js';
import { problemOf, tempFolder } from '../io/temp.js';
import { describeSystem } from '../system/requirements.js';

const ROOT = { uids: [0], gids: [0] };
const SUDO = { uids: [0, 1234], gids: [0, 2345] };

interface Owned {
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
}

/** A file in a folder of its own, and what each of them looks like. */
async function place(file: Owned, folder: Owned = {}): Promise<string> {
  const at = join(await tempFolder(), 'project');
  const path = join(at, 'blocklist.yaml');
  await mkdir(at);
  await writeFile(path, '{}');
  await chown(path, file.uid ?? 0, file.gid ?? 0);
  await chmod(path, file.mode ?? 0o644);
  await chown(at, folder.uid ?? 0, folder.gid ?? 0);
  await chmod(at, folder.mode ?? 0o755);
  return path;
}

describeSystem('as root, with real files', ['root'], () => {
  test.each<[what: string, file: Owned, folder: Owned, owners: typeof ROOT]>([
    ['a file of root', {}, {}, ROOT],
    ['a private one', { mode: 0o600 }, { mode: 0o700 }, ROOT],
    ['writable by the group of root', { mode: 0o664 }, { mode: 0o775 }, ROOT],
    ['of the sudo caller', { uid: 1234, gid: 2345 }, { uid: 1234, gid: 2345 }, SUDO],
    ['of the sudo caller, writable by their group', { uid: 1234, gid: 2345, mode: 0o664 }, {}, SUDO],
    ['in a sticky folder that everybody may write to, as /tmp', {}, { mode: 0o1777 }, ROOT],
    ['readable by everybody', { mode: 0o444 }, {}, ROOT],
  ])('trusted: %s', async (_, file, folder, owners) => {
    const path = await place(file, folder);
    expect(() => requireTrusted([path], owners)).not.toThrow();
  });

  test.each<[what: string, file: Owned, folder: Owned, owners: typeof ROOT, why: string, at: 'file' | 'folder']>([
    ['of another user', { uid: 1234 }, {}, ROOT, 'belongs to user 1234, who could change it for root', 'file'],
    ['of a third one under sudo', { uid: 99 }, {}, SUDO, 'belongs to user 99, who could change it for root', 'file'],
    ['writable by everybody', { mode: 0o646 }, {}, ROOT, 'is writable by everybody', 'file'],
    ['writable by everybody, sticky', { mode: 0o1646 }, {}, ROOT, 'is writable by everybody', 'file'],
    ['writable by a group', { gid: 2345, mode: 0o664 }, {}, ROOT, 'is writable by group 2345', 'file'],
    [
      'of root in a folder of another',
      {},
      { uid: 1234 },
      ROOT,
      'belongs to user 1234, who could change it for root',
      'folder',
    ],
    ['of root in a folder open to all', {}, { mode: 0o777 }, ROOT, 'is writable by everybody', 'folder'],
    ['of root in a folder of a group', {}, { gid: 7, mode: 0o775 }, ROOT, 'is writable by group 7', 'folder'],
  ])('refused: %s', async (_, file, folder, owners, why, at) => {
    const path = await place(file, folder);
    const where = at === 'file' ? path : join(path, '..');
    expect(await problemOf(async () => requireTrusted([path], owners))).toMatchObject({
      code: 'config-owner',
      message: `${where} ${why}`,
      where,
      exitStatus: 2,
    });
  });

  test('each of several paths is looked at', async () => {
    const good = await place({});
    const bad = await place({ mode: 0o666 });
    expect(await problemOf(async () => requireTrusted([good, bad], ROOT))).toMatchObject({ where: bad });
  });

  test('what is not there is passed over, its folder is not', async () => {
    const path = await place({});
    expect(() => requireTrusted([join(path, '..', 'rules')], ROOT)).not.toThrow();
    expect(() => requireTrusted([join(path, '..', 'a', 'b', 'c')], ROOT)).not.toThrow();
    expect(() => requireTrusted([join(path, 'below-a-file')], ROOT)).not.toThrow();
    await chmod(join(path, '..'), 0o777);
    const problem = await problemOf(async () => requireTrusted([join(path, '..', 'rules')], ROOT));
    expect(problem).toMatchObject({ code: 'config-owner', where: join(path, '..') });
  });

  test('a link is judged by what it leads to', async () => {
    const path = await place({ uid: 1234 });
    const link = join(await tempFolder(), 'link.yaml');
    await symlink(path, link);
    expect(await problemOf(async () => requireTrusted([link], ROOT))).toMatchObject({
      code: 'config-owner',
      where: link,
    });
  });

  test('no paths, nothing to mistrust', async () => {
    expect(() => requireTrusted([], ROOT)).not.toThrow();
  });
});
