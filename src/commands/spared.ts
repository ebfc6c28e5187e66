import { loadedManifest } from '../apply/kept.js';
import { BlocklistError } from '../errors.js';
import { readRegular } from '../io/read.js';
import {
  entryOf,
  formatPrefix,
  IpSet,
  overlap,
  type Prefix,
  parsePrefix,
  partIn,
  readList,
  SPECIAL_PURPOSE,
  setOfBlock,
  specialPurpose,
} from '../ip/index.js';
import { allowedIn } from '../render/manifest.js';
import type { Spared } from '../report/why.js';
import { bundledList } from '../sources/feeds/catalogue.js';
import type { Unread } from '../sources/holding.js';
import { allowedLists } from '../sources/holdings.js';
import { allowFileId } from './allowed.js';
import type { Project } from './project.js';

/** Answers what is never blocked of a block, and who says so. */
export interface SparedLookup {
  readonly of: (block: Prefix) => readonly Spared[];
  readonly unread: readonly Unread[];
}

/** A list of ours or of the operator; its lines are looked at only when one of them matters. */
interface SparedFile {
  readonly by: Spared['by'];
  readonly path: string;
  readonly set: IpSet;
  readonly lines: () => readonly Line[];
}

/** Above any list that a person writes. */
const LARGEST = 1 << 28;

/** Opens never-block, the files and the feeds of `allow:`, and what the loaded rules allow beside them. */
export async function openSpared(
  blocks: readonly Prefix[],
  { config, cache, updateState, bansState }: Project,
): Promise<SparedLookup> {
  const files: SparedFile[] = [];
  const unread: Unread[] = [];
  const named = [
    { by: 'never-block', path: bundledList('never-block.txt') } as const,
    ...config.allow.files.map((path) => ({ by: 'allow-file', path }) as const),
  ];
  for (const { by, path } of named) {
    try {
      const bytes = await readRegular(path, LARGEST);
      const { set, report } = readList(bytes);
      // Whom a line was to protect that nobody can read, nobody can tell.
      if (report.rejected > 0) unread.push({ id: path, problem: unreadable(path, report.rejected) });
      files.push({ by, path, set, lines: linesOnce(bytes) });
    } catch (problem) {
      if (!(problem instanceof BlocklistError)) throw problem;
      unread.push({ id: path, problem });
    }
  }
  const feeds = await allowedLists(config, { cache, state: updateState, regions: IpSet.from(blocks) });
  // On a host that only loads nobody fetched the feeds, and the lists may be elsewhere; and a list here may be damaged.
  const loaded = await loadedManifest(bansState);
  const isUnread = new Set(unread.map(({ id }) => id));
  const known = new Set([
    ...config.allow.files.filter((path) => !isUnread.has(path)).map((path) => allowFileId(config, path)),
    ...feeds.held.map(({ id }) => id),
  ]);
  const rendered = typeof loaded === 'object' ? allowedIn(loaded).filter(({ id }) => !known.has(id)) : [];
  const isRendered = new Set(rendered.map(({ id }) => id));
  const special = specialPurpose();
  const of = (block: Prefix): Spared[] => [
    ...specialOf(block, special),
    ...files.flatMap((file) => linesOf(file, block)),
    ...feeds.held.flatMap((feed): Spared[] => {
      const part = feed.partOf(block)?.set;
      if (part === undefined) return [];
      return [{ by: 'allow-feed', where: feed.id, entry: feed.entryOf(block), words: '', part }];
    }),
    ...rendered.flatMap(({ id, set }): Spared[] => {
      const part = partIn(set, block);
      return part.isEmpty ? [] : [{ by: 'loaded-rules', where: id, entry: entryOf(set, block), words: '', part }];
    }),
  ];
  return { of, unread: [...unread, ...feeds.unread.filter(({ id }) => !isRendered.has(id))] };
}

function unreadable(path: string, count: number): BlocklistError {
  return new BlocklistError('bad-prefix', `${count} of its lines cannot be read`, {
    where: path,
    hint: 'blocklist build names the first',
  });
}

const ROWS = SPECIAL_PURPOSE.map(([text, name, rfc]) => ({ prefix: parsePrefix(text), words: `${name}, ${rfc}` }));

function specialOf(block: Prefix, special: IpSet): Spared[] {
  const whole = partIn(special, block);
  if (whole.isEmpty) return [];
  const found = ROWS.flatMap(({ prefix, words }): Spared[] => {
    if (!overlap(prefix, block)) return [];
    const part = partIn(setOfBlock(prefix), block);
    return [{ by: 'special-purpose', where: formatPrefix(prefix), entry: prefix, words, part }];
  });
  if (found.length > 0) return found;
  const words = 'it carries a special-purpose IPv4 address';
  return [{ by: 'special-purpose', where: formatPrefix(block), entry: block, words, part: whole }];
}

/** The lines of a list that have addresses of a block, by number. */
function linesOf({ by, path, set, lines }: SparedFile, block: Prefix): Spared[] {
  if (partIn(set, block).isEmpty) return [];
  return lines().flatMap((line): Spared[] => {
    const part = partIn(line.set, block);
    if (part.isEmpty) return [];
    const [entry] = line.set.prefixes();
    return [{ by, where: `${path}:${line.number}`, entry, words: line.words, part }];
  });
}

interface Line {
  readonly number: number;
  readonly set: IpSet;
  /** its comment */
  readonly words: string;
}

/** Read at the first question that needs them. */
function linesOnce(bytes: Buffer): () => readonly Line[] {
  let read: readonly Line[] | undefined;
  return () => {
    read ??= bytes
      .toString('utf8')
      .split('\n')
      .map((text, i) => ({
        number: i + 1,
        set: readList(Buffer.from(text)).set,
        words: /[#;]\s*(.+?)\s*$/.exec(text)?.[1] ?? '',
      }));
    return read;
  };
}
