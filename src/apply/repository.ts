import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { BlocklistError } from '../errors.js';
import { errnoOf, factsOf, readWhole } from '../io/read.js';

/** A git repository and whose it is. */
export interface Repository {
  /** as for `git --git-dir` */
  readonly gitDir: string;
  /** names of the folders that lead from the top of the repository to the rules; none when they are the top itself */
  readonly path: readonly string[];
  readonly owner: number;
}

/** Larger than any path: the `.git` file of a worktree or submodule, and `commondir`, hold one. */
const LINK_CAP = 8192;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * The repository that holds a folder, which need not exist in the work tree. A `.git` on the way up counts before a bare repository: a reviewed
 * work tree may hold files that look like one.
 * @throws BlocklistError `repository-missing`, `repository-owner` when its parts belong to several users, `file-unreadable`.
 */
export async function findRepository(folder: string): Promise<Repository> {
  try {
    return await findAbove(folder);
  } catch (cause) {
    if (cause instanceof BlocklistError) throw cause;
    throw new BlocklistError(
      'file-unreadable',
      `cannot look for the repository of ${folder}: ${errnoOf(cause) ?? cause}`,
      {
        where: folder,
        hint: 'run as its owner or as root',
        cause,
      },
    );
  }
}

async function findAbove(folder: string): Promise<Repository> {
  const inside = await behindLinks(folder);
  const tops = [inside, ...foldersAbove(inside)];
  for (const top of tops) {
    const dotGit = join(top, '.git');
    const facts = factsOf(dotGit);
    if (facts === undefined) continue;
    const gitDir = facts.isDirectory() ? await realpath(dotGit) : await linkedFrom(dotGit, top);
    return repository(top, inside, gitDir, [top, dotGit]);
  }
  for (const top of tops) {
    const parts = ['HEAD', 'objects', 'refs'].map((name) => factsOf(join(top, name)));
    if (parts.every((part) => part !== undefined)) return repository(top, inside, top, []);
  }
  throw new BlocklistError('repository-missing', `${folder} is in no git repository`, {
    where: folder,
    hint: '--ref reads the rules from git: let paths.rules lead into a clone, or leave out --ref',
  });
}

async function repository(top: string, inside: string, gitDir: string, more: readonly string[]): Promise<Repository> {
  const common = await commonDir(gitDir);
  const parts = [...new Set([...more, gitDir, common, join(common, 'objects'), join(common, 'config')])];
  const owner = oneOwner(parts, gitDir);
  const path = relative(top, inside)
    .split('/')
    .filter((name) => name !== '');
  return { gitDir, path, owner };
}

/** Who owns all parts. What is root's must be writable by root alone: git heeds what its configuration says. */
function oneOwner(parts: readonly string[], gitDir: string): number {
  const facts = parts.map((path) => ({ path, facts: factsOf(path) }));
  const [owner] = facts.flatMap((each) => (each.path === gitDir && each.facts !== undefined ? [each.facts.uid] : []));
  if (owner === undefined) throw notHeld(gitDir);
  for (const { path, facts: found } of facts) {
    if (found === undefined) continue;
    const isOpen = owner === 0 && (found.mode & WRITABLE_BY_OTHERS) !== 0;
    if (found.uid === owner && !isOpen) continue;
    const what = isOpen
      ? 'belongs to root and is writable by others'
      : `belongs to user ${found.uid}, ${gitDir} to user ${owner}`;
    throw new BlocklistError('repository-owner', `${path} ${what}`, {
      where: path,
      hint: `a repository has one owner, with whose rights it is read: ${isOpen ? `chmod go-w ${path}` : `chown -R its files to one user`}`,
    });
  }
  return owner;
}

/** Where the `.git` file of a worktree or submodule leads (gitrepository-layout(5)). */
async function linkedFrom(dotGit: string, top: string): Promise<string> {
  const text = (await readWhole(dotGit, LINK_CAP))?.toString('utf8') ?? '';
  const [, path] = /^gitdir: ([^\n\0]+)\n?$/.exec(text) ?? [];
  const gitDir = path === undefined ? undefined : resolve(top, path);
  if (gitDir === undefined || factsOf(gitDir) === undefined) throw notHeld(dotGit);
  return realpath(gitDir);
}

/** A worktree shares objects, refs and configuration with the repository that it was made from (gitrepository-layout(5), commondir). */
async function commonDir(gitDir: string): Promise<string> {
  const text = (await readWhole(join(gitDir, 'commondir'), LINK_CAP))?.toString('utf8');
  return text === undefined ? gitDir : resolve(gitDir, text.replace(/\n$/, ''));
}

/** The folder with links resolved as far as it exists. */
async function behindLinks(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    const isMissing = errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';
    if (!isMissing || dirname(folder) === folder) throw error;
    return join(await behindLinks(dirname(folder)), basename(folder));
  }
}

function foldersAbove(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [] : [above, ...foldersAbove(above)];
}

function notHeld(path: string): BlocklistError {
  return new BlocklistError('repository-missing', `${path} leads to no git repository`, {
    where: path,
    hint: 'see what git -C there status says',
  });
}
