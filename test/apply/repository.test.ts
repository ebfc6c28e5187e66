import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findRepository } from '../../src/apply/repository.js';
import { inFolder, refusal } from './artefacts.js';

/** What makes a folder a repository for git, without git. */
async function gitDir(folder: string): Promise<string> {
  for (const name of ['objects', 'refs']) await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, 'HEAD'), 'ref: refs/heads/main\n');
  await writeFile(join(folder, 'config'), '');
  return folder;
}

describe('findRepository', () => {
  test('the next one above, also for a folder that is not there', async () => {
    await inFolder(async (folder) => {
      await gitDir(join(folder, '.git'));
      const inner = join(folder, 'a b', 'clone');
      await gitDir(join(inner, '.git'));
      expect(await findRepository(join(inner, 'x', 'rules'))).toMatchObject({
        gitDir: join(inner, '.git'),
        path: ['x', 'rules'],
        owner: process.getuid?.(),
      });
      expect((await findRepository(inner)).path).toEqual([]);
      expect((await findRepository(join(folder, 'a b'))).path).toEqual(['a b']);
    });
  });

  test('links are followed before anything is looked for', async () => {
    await inFolder(async (folder) => {
      await gitDir(join(folder, 'clone', '.git'));
      await mkdir(join(folder, 'clone', 'rules'));
      await symlink(join(folder, 'clone', 'rules'), join(folder, 'rules'));
      expect(await findRepository(join(folder, 'rules'))).toMatchObject({ path: ['rules'] });
    });
  });

  test('the .git file of a worktree leads to it, and one that leads nowhere is told', async () => {
    await inFolder(async (folder) => {
      const main = await gitDir(join(folder, 'main', '.git'));
      const own = join(main, 'worktrees', 'live');
      await mkdir(own, { recursive: true });
      await writeFile(join(own, 'commondir'), '../..\n');
      await mkdir(join(folder, 'live'));
      const link = join(folder, 'live', '.git');
      await writeFile(link, 'gitdir: ../main/.git/worktrees/live\n');
      expect(await findRepository(join(folder, 'live', 'rules'))).toMatchObject({ gitDir: own, path: ['rules'] });
      for (const text of ['gitdir: /nonexistent\n', 'x', '']) {
        await writeFile(link, text);
        expect((await refusal(findRepository(join(folder, 'live', 'rules')))).code).toBe('repository-missing');
      }
    });
  });

  test('a bare one counts only where no work tree is above', async () => {
    await inFolder(async (folder) => {
      const bare = await gitDir(join(folder, 'rules.git'));
      expect(await findRepository(join(bare, 'rules'))).toMatchObject({ gitDir: bare, path: ['rules'] });
      await gitDir(join(folder, '.git'));
      // Files that look like a repository can be committed; a reviewer would not see what is in them.
      expect(await findRepository(join(bare, 'rules'))).toMatchObject({
        gitDir: join(folder, '.git'),
        path: ['rules.git', 'rules'],
      });
    });
  });
});
