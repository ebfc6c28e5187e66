import { readCurrent, readManifest, requireManifest } from '../apply/artefact-store.js';
import { BlocklistError } from '../errors.js';
import { IpSet, type Prefix, partIn, searchRendered, setOfBlock } from '../ip/index.js';
import { LISTED_NAMES, ONLY_NAMES, type SetName } from '../render/layout.js';
import { digestOf, type Manifest, type RenderedPolicy } from '../render/manifest.js';
import type { RuleHit, WhyFacts } from '../report/why.js';
import type { Unread } from '../sources/holding.js';

/** What the rules say of one block. */
export type Ruled = Pick<WhyFacts, 'rules' | 'keptOut' | 'alsoOutbound'>;

/** What the lists of the rules folder say of some blocks. */
export interface AskedRules {
  readonly digest: string | undefined;
  readonly policy: RenderedPolicy | undefined;
  /** of the block with this number; searched anew at each call, as a hundred thousand of them would take much room */
  readonly ruled: (i: number) => Ruled;
  readonly unread: readonly Unread[];
}

const UNKNOWN: Ruled = { rules: undefined, keptOut: 'unknown', alsoOutbound: false };
/** A writer can come in between; each time all is read again. */
const TRIES = 5;

/** Asks what `apply` would load. */
export async function askRules(folder: string, blocks: readonly Prefix[]): Promise<AskedRules> {
  for (let tried = 1; ; tried++) {
    let manifest: Manifest;
    try {
      manifest = await requireManifest(folder);
    } catch (problem) {
      if (!(problem instanceof BlocklistError)) throw problem;
      return { digest: undefined, policy: undefined, ruled: () => UNKNOWN, unread: [{ id: 'rules', problem }] };
    }
    const asked = await askLists(folder, manifest, blocks);
    if (asked.unread.length === 0 || tried === TRIES) return asked;
    if ((await readManifest(folder))?.digest === manifest.digest) return asked;
  }
}

async function askLists(folder: string, manifest: Manifest, blocks: readonly Prefix[]): Promise<AskedRules> {
  const lists = new Lists(folder, manifest);
  const versions = new Set(blocks.map(({ family }) => family.version));
  await lists.read((name) => versions.has(name.endsWith('4') ? 4 : 6));
  const search = (i: number) => ruledBy(lists, blocks[i]!);
  const isListed = blocks.map((block, i) => isWhole(block, search(i)));
  const { digest, policy } = manifest;
  // A line that is there says enough; one that is not there says something only where no line was lost.
  if (isListed.every(Boolean) || (await lists.areWhole()))
    return { digest, policy, ruled: search, unread: lists.unread };
  return { digest, policy, ruled: (i) => (isListed[i] ? search(i) : UNKNOWN), unread: lists.unread };
}

function isWhole(block: Prefix, { rules = [] }: Ruled): boolean {
  const whole = setOfBlock(block);
  return rules.some(({ part }) => part.equals(whole));
}

function ruledBy(lists: Lists, block: Prefix): Ruled {
  const { only, alsoOutbound = false } = lists.manifest.policy;
  const version = String(block.family.version);
  const own = lists.names.filter((name) => name.endsWith(version));
  const hits = own.filter((name) => !name.startsWith('only_')).map((name) => hitIn(lists, name, block));
  const rules = hits.includes(undefined) ? undefined : hits.flatMap((each) => each ?? []);
  if (only === undefined) return { rules, keptOut: undefined, alsoOutbound };
  const found = lists.search(block.family.version === 4 ? 'only_nets4' : 'only_nets6', block);
  if (found === undefined) return { rules, keptOut: 'unknown', alsoOutbound };
  const part = setOfBlock(block).subtract(IpSet.ofPrefixes(found));
  return { rules, keptOut: part.isEmpty ? undefined : { part, ports: only.ports }, alsoOutbound };
}

function hitIn(lists: Lists, set: SetName, block: Prefix): readonly RuleHit[] | undefined {
  const found = lists.search(set, block);
  if (found === undefined || found.size === 0) return found && [];
  const { size, words, lengths } = found;
  const { family } = block;
  const element = size === 1 ? { family, words: words.slice(0, family.words), length: lengths[0] ?? 0 } : undefined;
  const all = element === undefined ? IpSet.ofPrefixes(found) : setOfBlock(element);
  return [{ set, side: set.startsWith('out_') ? 'out' : 'in', prefixes: size, element, part: partIn(all, block) }];
}

/** The lists of an artefact, for questions. */
class Lists {
  /** in the order of every output */
  readonly names: readonly SetName[];
  readonly unread: Unread[] = [];
  private readonly texts = new Map<SetName, Buffer | undefined>();

  constructor(
    private readonly folder: string,
    readonly manifest: Manifest,
  ) {
    const only = manifest.policy.only === undefined ? [] : ONLY_NAMES;
    this.names = [...LISTED_NAMES.filter((name) => Object.hasOwn(manifest.sets, name)), ...only];
  }

  /** Reads those that are wanted and were not read yet. */
  async read(isWanted: (name: SetName) => boolean): Promise<void> {
    for (const name of this.names) {
      if (!isWanted(name) || this.texts.has(name)) continue;
      try {
        this.texts.set(name, await readCurrent(this.folder, `${name}.txt`));
      } catch (problem) {
        if (!(problem instanceof BlocklistError)) throw problem;
        this.texts.set(name, undefined);
        this.tell(problem);
      }
    }
  }

  /** Undefined when the list is not there or damaged where it was looked at. */
  search(name: SetName, block: Prefix): ReturnType<typeof searchRendered> {
    const bytes = this.texts.get(name);
    const found = bytes && searchRendered(bytes, block);
    if (found === undefined) this.tell(this.damaged(`${name}.txt of the rules is missing or damaged`));
    return found;
  }

  /** Whether they are, byte for byte, what the manifest was written for. */
  async areWhole(): Promise<boolean> {
    await this.read(() => true);
    const lists = new Map(this.names.map((name) => [`${name}.txt`, this.texts.get(name) ?? Buffer.alloc(0)]));
    if (digestOf(lists, this.manifest.policy) === this.manifest.digest) return true;
    this.tell(this.damaged('the lists of the rules are not those that their manifest names'));
    return false;
  }

  /** The first problem is enough. */
  private tell(problem: BlocklistError): void {
    if (this.unread.length === 0) this.unread.push({ id: 'rules', problem });
  }

  private damaged(what: string): BlocklistError {
    return new BlocklistError('artefact-invalid', what, {
      where: this.folder,
      hint: 'run blocklist build, or take them from git again',
    });
  }
}
