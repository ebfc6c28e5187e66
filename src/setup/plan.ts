import { lstat } from 'node:fs/promises';
import { readWhole } from '../io/read.js';
import { ACTION_FOLDER, isForFail2ban } from './fail2ban.js';
import { below, FOLDERS, type FolderSpec, SYSTEM_USER } from './layout.js';
import { type Origin, originOf } from './marker.js';
import { idsOf } from './system-user.js';
import { everyPath, type Manner, type WrittenFile, writtenFiles } from './written-files.js';

/** One thing that will be done, in the order of the list. */
export type Step =
  | { readonly do: 'write'; readonly file: WrittenFile; readonly was: Origin }
  | { readonly do: 'make-user' }
  | { readonly do: 'make-folder'; readonly folder: FolderSpec; readonly exists: boolean }
  | { readonly do: 'remove'; readonly path: string }
  | { readonly do: 'remove-user' }
  | { readonly do: 'purge'; readonly path: string }
  | { readonly do: 'run'; readonly argv: readonly [string, ...string[]] };

export interface Found {
  readonly path: string;
  readonly origin: Origin;
  readonly text: string | undefined;
}

/** Above any unit. */
const FILE_CAP = 1 << 20;

/** What there is at every place of ours. */
export async function findFiles(root: string): Promise<Found[]> {
  return Promise.all(
    everyPath().map(async (path) => {
      const text = (await readWhole(below(root, path), FILE_CAP))?.toString('utf8');
      return { path, origin: originOf(text), text };
    }),
  );
}

/** The files that belong on this host or into this image. What is for fail2ban only where that is. */
export async function wantedFiles(manner: Manner, program: readonly string[], root: string): Promise<WrittenFile[]> {
  const hasFail2ban = (await factsOf(below(root, ACTION_FOLDER)))?.isDirectory() === true;
  return writtenFiles(manner, program).filter(({ path }) => hasFail2ban || !isForFail2ban(path));
}

/**
 * What `install` has to do on this host or in this image: only what is not there already. The commands of systemd are not
 * among it; what they would find depends on the steps before them.
 */
export async function installSteps(
  manner: Manner,
  program: readonly string[],
  root: string,
  found: readonly Found[],
): Promise<Step[]> {
  const isThere = new Map(found.map(({ path, text, origin }) => [path, { text, origin }]));
  const writes = (await wantedFiles(manner, program, root)).flatMap((file): Step[] => {
    const there = isThere.get(file.path);
    return there?.text === file.text ? [] : [{ do: 'write', file, was: there?.origin ?? 'absent' }];
  });
  const ids = await idsOf(SYSTEM_USER, root);
  const folders: Step[] = [];
  for (const folder of FOLDERS) {
    const facts = await factsOf(below(root, folder.path));
    const uid = folder.owner === 'root' ? 0 : ids?.uid;
    // In an image the owner is a matter of whoever builds it: its numbers need not be those of this host.
    const isRight = facts !== undefined && (root !== '/' || facts.uid === uid);
    if (!isRight) folders.push({ do: 'make-folder', folder, exists: facts !== undefined });
  }
  const user: Step[] = ids === undefined && root === '/' ? [{ do: 'make-user' }] : [];
  // The user's own description comes first: systemd-sysusers reads it.
  const [first = [], rest] = [writes.filter(isUserFile), writes.filter((step) => !isUserFile(step))];
  return [...first, ...user, ...folders, ...rest];
}

function isUserFile(step: Step): boolean {
  return step.do === 'write' && step.file.path.includes('/sysusers.d/');
}

async function factsOf(path: string) {
  return lstat(path).catch(() => undefined);
}
