import { loadedManifest } from '../apply/kept.js';
import { BlocklistError } from '../errors.js';
import { readRegular } from '../io/read.js';
import {
  EntrySlot,
  entryOf,
  formatPrefix,
  IpSet,
  IpSetBuilder,
  overlap,
  type Prefix,
  PrefixIndex,
  parseEntry,
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
  readonly lines: () => PrefixIndex<Named>;
}

/** Above any list that a person writes. */
const LARGEST = 1 << 28;
/** As a build reads them: no score behind the address. */
const AS_BUILT = { column: 'none' } as const;

/** Opens never-block, the files and the feeds of `allow:`, and what the loaded rules allow beside them. */
export async function openSpared(
  blocks: readonly Prefix[],
  { config, cache, updateState, bansState }: Project,
): Promise<SparedLookup> {
  const asked = IpSet.from(blocks);
  const files: SparedFile[] = [];
  const unread: Unread[] = [];
  const named = [
    { by: 'never-block', path: bundledList('never-block.txt') } as const,
    ...config.allow.files.map((path) => ({ by: 'allow-file', path }) as const),
  ];
  for (const { by, path } of named) {
    try {
      const bytes = await readRegular(path, LARGEST);
      const { set, report } = readList(bytes, AS_BUILT);
      // Whom a line was to protect that nobody can read, nobody can tell.
      if (report.rejected > 0) unread.push({ id: path, problem: unreadable(path, report.rejected) });
      files.push({ by, path, set, lines: linesOnce(bytes, asked) });
    } catch (problem) {
      if (!(problem instanceof BlocklistError)) throw problem;
      unread.push({ id: path, problem });
    }
  }
  const feeds = await allowedLists(config, { cache, state: updateState, regions: asked });
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
  // A line that is a range stands for several blocks.
  const found = new Set(
    lines()
      .touching(block)
      .map(({ line }) => line),
  );
  return [...found].map((line) => {
    const [entry] = line.set.prefixes();
    return { by, where: `${path}:${line.number}`, entry, words: line.words, part: partIn(line.set, block) };
  });
}

interface Line {
  readonly number: number;
  readonly set: IpSet;
  /** its comment */
  readonly words: string;
}

/** A block that a line names. */
interface Named {
  readonly prefix: Prefix;
  readonly line: Line;
}

/** Read at the first question that needs them, as far as any question is about them. */
function linesOnce(bytes: Buffer, asked: IpSet): () => PrefixIndex<Named> {
  let read: PrefixIndex<Named> | undefined;
  return () => {
    read ??= new PrefixIndex([...namedIn(bytes, asked)], ({ prefix }) => prefix);
    return read;
  };
}

function* namedIn(bytes: Buffer, asked: IpSet): Generator<Named, void, undefined> {
  const slot = new EntrySlot();
  const lines = bytes.toString('utf8').split(/\r\n?|\n/);
  for (const [i, line] of lines.entries()) {
    const text = line.trim();
    if (parseEntry(Buffer.from(text), 0, text.length, slot) < 0) continue;
    const set = new IpSetBuilder().addRange(slot.family, slot.lo, slot.hi).build();
    const comment = text.search(/[#;]/);
    const row = { number: i + 1, set, words: comment < 0 ? '' : text.slice(comment + 1).trim() };
    for (const prefix of set.prefixes()) if (!partIn(asked, prefix).isEmpty) yield { prefix, line: row };
  }
}
