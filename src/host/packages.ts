import { BlocklistError } from '../errors.js';
import { factsOf } from '../io/read.js';
import { type RunResult, run } from '../io/run.js';

/** path → name of the package that it belongs to; undefined where nobody keeps such a list that we can read */
export type Packages = ReadonlyMap<string, string> | undefined;

/** Asks the databases of dpkg and of rpm, whichever is here. Paths that belong to no package are left out. */
export async function packagesOf(paths: readonly string[]): Promise<Packages> {
  const wanted = [...new Set(paths)].filter((path) => path.startsWith('/'));
  if (wanted.length === 0) return new Map();
  const found = await fromDpkg(wanted);
  const rest = wanted.filter((path) => found?.has(path) !== true);
  const more = rest.length === 0 ? undefined : await fromRpm(rest);
  return found === undefined && more === undefined ? undefined : new Map([...(found ?? []), ...(more ?? [])]);
}

async function fromRpm(paths: readonly string[]): Promise<Map<string, string> | undefined> {
  const found = new Map<string, string>();
  for (const path of paths) {
    const listed = await asked(['rpm', '-qf', '--queryformat', '%{NAME}\\n', path]);
    if (listed === undefined) return undefined;
    const name = listed.stdout.toString('utf8').split('\n')[0] ?? '';
    if (listed.status === 0 && NAME.test(name)) found.set(path, name);
  }
  return found;
}

const NAME = /^[\w.+-]+$/;
/** Folders that are links to those below /usr today, while the packages may still name their files by them (the merged /usr of Debian). */
const MERGED = /^\/usr(\/s?bin\/|\/lib[^/]*\/)/;

/** The path, and the one that it had before, if both are the same file here: of two files only one may be the package's. */
function namesOf(path: string): string[] {
  const before = path.replace(MERGED, '$1');
  if (before === path) return [path];
  const [now, then] = [factsOf(path), factsOf(before)];
  return now !== undefined && now.dev === then?.dev && now.ino === then.ino ? [path, before] : [path];
}

async function fromDpkg(paths: readonly string[]): Promise<Map<string, string> | undefined> {
  const found = new Map<string, string>();
  const names = new Map<string, string[]>();
  for (const path of paths) {
    for (const name of namesOf(path)) names.set(name, [...(names.get(name) ?? []), path]);
  }
  // What dpkg-query is given are patterns: a file that is called `/usr/sbin/ssh?` would be that of a package.
  const patterns = [...names.keys()].map((name) => name.replace(/[\\*?[\]]/g, '\\$&'));
  // Its exit status is 1 when one of them belongs to none.
  const listed = await asked(['dpkg-query', '-S', ...patterns]);
  if (listed === undefined) return undefined;
  for (const line of listed.stdout.toString('utf8').split('\n')) {
    const [, owners = '', name = ''] = /^(.+?): (\/.*)$/.exec(line) ?? [];
    // `libc6:amd64`; several packages may share a file; `diversion by …` is no package
    const owner = owners.split(', ')[0]?.replace(/:[\w-]+$/, '') ?? '';
    if (NAME.test(owner)) for (const path of names.get(name) ?? []) found.set(path, owner);
  }
  return found;
}

async function asked(argv: readonly [string, ...string[]]): Promise<RunResult | undefined> {
  try {
    return await run(argv);
  } catch (error) {
    if (error instanceof BlocklistError && error.code === 'program-missing') return undefined;
    throw error;
  }
}
