import { join } from 'node:path';
import { BlocklistError } from '../errors.js';
import { escapeText } from '../io/escape.js';
import { MANIFEST_FILE, SCRIPT_FILE } from '../render/artefact.js';
import { type Artefact, damaged, FILE_CAP, LIST_FILES, type Place, parseArtefact } from './artefact.js';
import { GitObjects } from './git-objects.js';
import { findRepository } from './repository.js';

/** An artefact as a commit holds it. */
export interface CommittedArtefact extends Artefact {
  /** full id */
  readonly commit: string;
}

/** A commit and a listing of a folder are small; bytes. */
const SMALL_CAP = 1 << 24;
/** What git-check-ref-format(1) allows in a name, so nothing of the syntax of gitrevisions(7): `main:x`, `@{1}`, `a..b`, `HEAD^`. */
const REF = /^(?![-/.])(?!.*(?:\.\.|@\{|\/\/|\/\.))[^\p{C}\p{Z}~^:?*[\\]{1,250}(?<![/.])$/u;
const FULL_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Reads the artefact in `rulesFolder` as the commit of `ref` holds it: a branch, a tag, `origin/main` or the id of a commit. Objects are read by
 * `git cat-file` with the rights of the repository's owner, by id alone, and every hash from the commit down is checked here; nothing is checked out, no file of the work tree counts.
 * @throws BlocklistError `bad-ref`, `artefact-missing`, `artefact-invalid` with `main:rules/nodes4.txt:17`, `too-large`, `git-failed`, and as findRepository and run.
 */
export async function readArtefactAt(ref: string, rulesFolder: string): Promise<CommittedArtefact> {
  if (!REF.test(ref)) {
    throw new BlocklistError('bad-ref', `--ref: '${escapeText(ref, 80)}' is no name of a branch, tag or commit`, {
      where: '--ref',
      hint: 'for example main, origin/main, v1.4 or the id of a commit',
    });
  }
  const repository = await findRepository(rulesFolder);
  const git = await GitObjects.of(repository);
  const commit = await commitOf(git, ref, repository.gitDir);
  const path = `${ref}:${repository.path.join('/') || '.'}`;
  const place: Place = {
    path,
    hints: {
      missing: `commit the rendered rules, or check paths.rules: git ls-tree ${path}`,
      damaged: `what was committed was changed by hand or damaged: run blocklist build and commit the result`,
    },
  };
  const folder = await rulesTree(git, commit, repository.path, place);
  const files = await filesOf(git, folder, place);
  const artefact = await parseArtefact(place, async (name) => files.get(name));
  return { ...artefact, commit };
}

/** The one commit that a name stands for. Git would take a tag before a branch of the same name: whoever may push tags would decide what `main` is. */
async function commitOf(git: GitObjects, ref: string, gitDir: string): Promise<string> {
  const places = FULL_ID.test(ref) ? [''] : ['refs/heads/', 'refs/tags/', 'refs/remotes/', ''];
  const headers = await git.headers(places.map((each) => `${each}${ref}^{commit}`));
  const found = new Set(headers.flatMap((header) => (header?.type === 'commit' ? [header.id] : [])));
  const [commit] = found;
  if (commit !== undefined && found.size === 1) return commit;
  const names = places.filter((each, i) => each !== '' && headers[i] !== undefined).map((each) => `${each}${ref}`);
  throw new BlocklistError(
    'bad-ref',
    commit === undefined
      ? `there is no branch, tag or commit ${ref} in ${gitDir}`
      : `${ref} stands for ${found.size} commits`,
    {
      where: ref,
      hint: commit === undefined ? 'git fetch, as the owner of the repository' : `say which one: ${names.join(' or ')}`,
    },
  );
}

interface Entry {
  readonly mode: string;
  readonly id: string;
}

/** The entries of the rules folder by name. */
async function rulesTree(
  git: GitObjects,
  commit: string,
  folders: readonly string[],
  place: Place,
): Promise<ReadonlyMap<string, Entry>> {
  const [head] = await git.read([commit], SMALL_CAP);
  const [, root] = /^tree ([0-9a-f]+)\n/.exec(head?.bytes.toString('latin1') ?? '') ?? [];
  if (root === undefined) throw notThere(commit);
  let entries = await treeOf(git, root);
  for (const name of folders) {
    const entry = entries.get(name);
    if (entry === undefined) throw noRules(place, commit);
    if (entry.mode !== '40000') throw damaged(place, '', `${name} is ${kindOf(entry.mode)}, not a folder`);
    entries = await treeOf(git, entry.id);
  }
  if (!entries.has(MANIFEST_FILE)) throw noRules(place, commit);
  return entries;
}

/** Entries stand one after the other: mode, space, name, NUL, id as bytes (gitformat of tree objects, git's Documentation/user-manual). */
async function treeOf(git: GitObjects, id: string): Promise<Map<string, Entry>> {
  const [tree] = await git.read([id], SMALL_CAP);
  if (tree?.type !== 'tree') throw notThere(id);
  const entries = new Map<string, Entry>();
  const { bytes } = tree;
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const nul = bytes.indexOf(0, space);
    const end = nul + 1 + id.length / 2;
    if (space < 0 || nul < 0 || end > bytes.length) throw notThere(id);
    const name = bytes.toString('utf8', space + 1, nul);
    entries.set(name, { mode: bytes.toString('latin1', at, space), id: bytes.toString('hex', nul + 1, end) });
    at = end;
  }
  return entries;
}

async function filesOf(
  git: GitObjects,
  entries: ReadonlyMap<string, Entry>,
  place: Place,
): Promise<ReadonlyMap<string, Buffer>> {
  const wanted = [MANIFEST_FILE, SCRIPT_FILE, ...LIST_FILES].flatMap((name) => {
    const entry = entries.get(name);
    return entry === undefined ? [] : [{ name, ...entry }];
  });
  for (const { name, mode } of wanted) {
    if (!/^100\d{3}$/.test(mode)) throw damaged(place, name, `it is ${kindOf(mode)}, not a file`);
  }
  const objects = await git.read(
    wanted.map(({ id }) => id),
    FILE_CAP,
  );
  return new Map(
    wanted.map(({ name, id }, i) => {
      const object = objects[i];
      if (object?.type !== 'blob') throw notThere(id, join(place.path, name));
      return [name, object.bytes];
    }),
  );
}

const KINDS: Readonly<Record<string, string>> = {
  '40000': 'a folder',
  '120000': 'a symbolic link',
  '160000': 'a submodule',
};

function kindOf(mode: string): string {
  return KINDS[mode] ?? (mode.startsWith('100') ? 'a file' : `of mode ${escapeText(mode, 10)}`);
}

function noRules({ path, hints }: Place, commit: string): BlocklistError {
  return new BlocklistError('artefact-missing', `commit ${commit.slice(0, 7)} has no ${join(path, MANIFEST_FILE)}`, {
    where: join(path, MANIFEST_FILE),
    hint: hints.missing,
  });
}

function notThere(id: string, where = id): BlocklistError {
  return new BlocklistError('git-failed', `the object ${id} is not in the repository, or is damaged`, {
    where,
    hint: 'a partial clone fetches nothing here: git fetch --refetch --no-filter, as its owner; git fsck tells more',
  });
}
