import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GitObjects } from '../../src/apply/git-objects.js';
import { readArtefactAt } from '../../src/apply/git-ref.js';
import { findRepository } from '../../src/apply/repository.js';
import { must } from '../system/processes.js';
import { describeSystem } from '../system/requirements.js';
import { filesOf, inFolder, refusal } from './artefacts.js';

const FILES = filesOf(['45.9.20.7', '91.200.1.0/24']);

/** Commits an artefact in a folder of a new repository of ours, and returns the folder. */
async function committed(top: string, rules: string, ...init: readonly string[]): Promise<string> {
  const folder = join(top, rules);
  const git = (...args: readonly string[]) =>
    must(['git', '-C', top, '-c', 'user.name=n', '-c', 'user.email=n@example.org', ...args]);
  await git('init', '-q', '-b', 'main', ...init);
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of FILES) await writeFile(join(folder, name), bytes);
  await git('add', '-A');
  await git('commit', '-q', '-m', 'rules');
  return folder;
}

describeSystem('objects of a repository', ['git', 'setpriv'], () => {
  test.each(['rules', 'a/b/c', 'with space/ünï', 'line\nend/{x}', '-x/..y'])(
    'rules in %j are found, though nothing of them is in the work tree',
    async (rules) => {
      await inFolder(async (top) => {
        const folder = await committed(top, rules);
        await rm(folder, { recursive: true });
        expect((await readArtefactAt('main', folder)).sets.in.nodes4.size).toBe(1);
      });
    },
  );

  test('rules at the top of a repository', async () => {
    await inFolder(async (top) => {
      const read = await readArtefactAt('main', await committed(top, '.'));
      expect([read.folder, read.sets.in.nets4.size]).toEqual(['main:.', 1]);
      expect(Buffer.from(read.script)).toEqual(Buffer.from(FILES.get('blocklist.nft') ?? []));
    });
  });

  test('a repository of SHA-256', async () => {
    await inFolder(async (top) => {
      const { commit } = await readArtefactAt('main', await committed(top, 'rules', '--object-format=sha256'));
      expect(commit).toMatch(/^[0-9a-f]{64}$/);
    });
  });

  test('a file in place of a folder is told', async () => {
    await inFolder(async (top) => {
      const folder = await committed(top, 'rules');
      const error = await refusal(readArtefactAt('main', join(folder, 'nodes4.txt', 'x')));
      expect([error.code, error.exitStatus]).toEqual(['artefact-invalid', 2]);
      expect(error.message).toContain('nodes4.txt is a file, not a folder');
    });
  });

  test('more than expected is not read at all', async () => {
    await inFolder(async (top) => {
      const git = await GitObjects.of(await findRepository(await committed(top, 'rules')));
      const [header] = await git.headers(['main:rules/blocklist.nft']);
      const id = header?.id ?? '';
      const size = header?.size ?? 0;
      expect((await git.read([id], size))[0]?.bytes.length).toBe(size);
      expect((await refusal(git.read([id, id], size))).code).toBe('too-large');
      const missing = '0'.repeat(40);
      expect(await git.read([missing, id, missing], size)).toMatchObject([undefined, { id, size }, undefined]);
    });
  });

  test('neither root nor its owner: it is not read', async () => {
    await inFolder(async (top) => {
      const repository = await findRepository(await committed(top, 'rules'));
      const error = await refusal(GitObjects.of(repository, 4321));
      expect([error.code, error.exitStatus]).toEqual(['repository-owner', 2]);
    });
  });
});
