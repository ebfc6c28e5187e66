import { lstat, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { errnoOf } from '../io/read.js';
import type { RecordKind } from './event.js';

/** Kinds of records that are files. */
export type FileKind = Exclude<RecordKind, 'journal'>;

/** A file of records that was found. */
export interface RecordFile {
  readonly kind: FileKind;
  readonly path: string;
  /** milliseconds since 1970 */
  readonly changed: number;
}

/** Where records of a kind are: folders below the root, and names in them. What two of them lead to is read once. */
interface Spot {
  readonly kind: FileKind;
  readonly folders: readonly string[];
  readonly names: RegExp;
}

/** logrotate(8) numbers or dates what it puts aside, and packs it. */
const ROTATED = String.raw`(?:[.-]\d[\d.-]*)?(?:\.gz)?`;

/** A kind of record is one line here, one reader and one fixture. */
const SPOTS: readonly Spot[] = [
  { kind: 'wtmp', folders: ['var/log'], names: new RegExp(`^wtmp${ROTATED}$`) },
  // Debian 13 and openSUSE; since wtmpdb 0.75 in /var/log, with a link at the old place.
  { kind: 'wtmpdb', folders: ['var/lib/wtmpdb', 'var/log'], names: /^wtmp(?:_\d{8})?\.db$/ },
  { kind: 'lastlog', folders: ['var/log'], names: /^lastlog$/ },
  { kind: 'lastlog2', folders: ['var/lib/lastlog'], names: /^lastlog2\.db$/ },
  { kind: 'utmp', folders: ['run', 'var/run'], names: /^utmp$/ },
  {
    kind: 'log',
    folders: ['var/log'],
    names: new RegExp(`^(?:auth\\.log|secure|mail\\.log|maillog|vsftpd\\.log|messages)${ROTATED}$`),
  },
  // Last: what it tells is looked up in what the others told.
  { kind: 'btmp', folders: ['var/log'], names: new RegExp(`^btmp${ROTATED}$`) },
];

/** The kind that a file of this name has where it usually is. */
export function kindOfName(name: string): FileKind | undefined {
  return SPOTS.find(({ names }) => names.test(name))?.kind;
}

/** What was found, and what was not let in. */
export interface FoundRecords {
  /** of each kind the oldest first */
  readonly files: readonly RecordFile[];
  /** folders that may not be read, and links that lead out of a mounted system */
  readonly closed: ReadonlyArray<{ readonly path: string; readonly why: string }>;
}

/**
 * The records of the system below `root`. A link is followed, but never out of a root that is not `/`: there it would lead to files of the host that
 * looks.
 */
export async function findRecords(root: string): Promise<FoundRecords> {
  const files: RecordFile[] = [];
  const closed = new Map<string, string>();
  const seen = new Set<string>();
  const realRoot = await realpath(root);
  for (const { kind, folders, names } of SPOTS) {
    for (const folder of folders) {
      const found = await filesIn(realRoot, join(root, folder), names, closed);
      const fresh = found.filter(({ real }) => !seen.has(`${kind} ${real}`));
      for (const { path, real, changed } of fresh.sort((a, b) => a.changed - b.changed)) {
        seen.add(`${kind} ${real}`);
        files.push({ kind, path, changed });
      }
    }
  }
  return { files, closed: [...closed].map(([path, why]) => ({ path, why })) };
}

interface There {
  readonly path: string;
  readonly real: string;
  readonly changed: number;
}

async function filesIn(root: string, folder: string, names: RegExp, closed: Map<string, string>): Promise<There[]> {
  const there: There[] = [];
  for (const name of (await namesIn(folder, closed)).filter((each) => names.test(each))) {
    const path = join(folder, name);
    try {
      const real = await realpath(path);
      if (!isBelow(root, real)) {
        closed.set(path, 'it is a link that leads out of this root');
        continue;
      }
      const facts = await lstat(real);
      if (facts.isFile()) there.push({ path, real, changed: facts.mtimeMs });
      else closed.set(path, 'it is not a regular file');
    } catch (error) {
      closed.set(path, `it cannot be looked at: ${errnoOf(error) ?? String(error)}`);
    }
  }
  return there;
}

async function namesIn(folder: string, closed: Map<string, string>): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') closed.set(folder, `it cannot be read: ${errno ?? String(error)}`);
    return [];
  }
}

function isBelow(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
}
