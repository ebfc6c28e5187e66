import { readCurrent, readManifest } from '../apply/artefact-store.js';
import { BlocklistError } from '../errors.js';
import { IpSet, type Prefix, partIn, SET_KEYS, searchRendered, setOfBlock } from '../ip/index.js';
import { type KernelName, LISTED_NAMES, type LocalSetName, ONLY_NAMES, type SetName } from '../render/layout.js';
import { readLastBuild } from '../report/last-build.js';
import type { KeptOut, RuleHit, RulesState } from '../report/why.js';
import type { Unread } from '../sources/holding.js';
import type { Context } from './context.js';
import type { Project } from './project.js';

/** The lists of the rules folder, for questions; nothing of them is proven, as nothing of them is loaded. */
export interface OpenRules {
  readonly digest: string | undefined;
  /** undefined where that cannot be told; `unread` then says why */
  readonly of: (block: Prefix) => readonly RuleHit[] | undefined;
  /** what of it `only` keeps out; undefined for nothing, or where that cannot be told */
  readonly keptOut: (block: Prefix) => KeptOut | undefined;
  readonly unread: readonly Unread[];
}

/** Reads what `apply` would load for these families. */
export async function openRules({ config }: Project, versions: ReadonlySet<4 | 6>): Promise<OpenRules> {
  const { rules } = config.paths;
  const manifest = await readManifest(rules);
  if (manifest === undefined) {
    const problem = new BlocklistError('artefact-missing', 'there are no rules, or their manifest is damaged', {
      where: rules,
      hint: 'render them: blocklist build',
    });
    return { digest: undefined, of: () => undefined, keptOut: () => undefined, unread: [{ id: 'rules', problem }] };
  }
  const names = Object.keys(manifest.sets).filter((name): name is SetName => SET_NAME.test(name));
  const { only } = manifest.policy;
  const inUse = [...names, ...(only === undefined ? [] : ONLY_NAMES)];
  const lists = inUse.filter((name) => versions.has(name.endsWith('4') ? 4 : 6));
  const texts = new Map<SetName, Buffer | undefined>();
  for (const name of lists) texts.set(name, await readCurrent(rules, `${name}.txt`));
  const unread: Unread[] = [];
  const isDamaged = (name: SetName) => {
    texts.set(name, undefined);
    if (unread.length === 0) unread.push({ id: 'rules', problem: damaged(rules, name) });
    return undefined;
  };
  const of = (block: Prefix) => {
    const version = String(block.family.version);
    const own = names.filter((name) => name.endsWith(version));
    const hits = own.map((name): readonly RuleHit[] | undefined => {
      const bytes = texts.get(name);
      const found = bytes && searchRendered(bytes, block);
      if (found === undefined) return isDamaged(name);
      if (found.size === 0) return [];
      const { size, words, lengths } = found;
      const side = name.startsWith('out_') ? 'out' : 'in';
      const { family } = block;
      const element = size === 1 ? { family, words: words.slice(0, family.words), length: lengths[0] ?? 0 } : undefined;
      const set = element === undefined ? IpSet.ofPrefixes(found) : setOfBlock(element);
      return [{ set: name, side, prefixes: size, element, part: partIn(set, block) }];
    });
    return hits.includes(undefined) ? undefined : hits.flatMap((each) => each ?? []);
  };
  const keptOut = (block: Prefix) => {
    if (only === undefined) return undefined;
    const name = block.family.version === 4 ? 'only_nets4' : 'only_nets6';
    const bytes = texts.get(name);
    const found = bytes && searchRendered(bytes, block);
    if (found === undefined) return isDamaged(name);
    const part = setOfBlock(block).subtract(IpSet.ofPrefixes(found));
    return part.isEmpty ? undefined : { part, ports: only.ports };
  };
  return { digest: manifest.digest, of, keptOut, unread };
}

const SET_NAME = new RegExp(`^(out_)?(${SET_KEYS.join('|')})$`);

function damaged(rules: string, name: string): BlocklistError {
  return new BlocklistError('artefact-invalid', `${name}.txt of the rules is missing or damaged`, {
    where: rules,
    hint: 'run blocklist build, or take it from git again',
  });
}

/** What the kernel says, and when the rules and the data of their sources are from. */
export async function rulesState(
  digest: string | undefined,
  live: Pick<RulesState, 'loaded'>,
  { updateState }: Project,
): Promise<RulesState> {
  const build = await readLastBuild(updateState);
  const dates = new Map(build?.sources.map(({ id, date }) => [id, date]));
  return { digest, built: build?.at, ...live, dateOf: (id) => dates.get(id) };
}

/** What the kernel holds, for a user who may ask it. */
export interface Kernel {
  readonly loaded: RulesState['loaded'];
  /** whether its sets of listed addresses hold one */
  readonly lists: (address: Prefix) => Promise<boolean>;
  /** whether its first rule lets an address through */
  readonly letsThrough: (address: Prefix) => Promise<boolean>;
}

const no = async () => false;

/** Asks nft for the digest of what is loaded. As root alone: others may not ask. */
export async function askKernel(digest: string | undefined, { uid }: Context): Promise<Kernel> {
  if (uid !== 0) return { loaded: 'unknown', lists: no, letsThrough: no };
  const { Nft } = await import('../apply/nft.js');
  const nft = new Nft();
  try {
    const live = await nft.structure();
    if (live === undefined) return { loaded: 'none', lists: no, letsThrough: no };
    const anyHolds = (names: readonly (KernelName | LocalSetName)[]) => async (address: Prefix) => {
      const version = String(address.family.version);
      const own = names.filter((name) => live.kinds.has(name) && name.replace('_b', '').endsWith(version));
      return (await Promise.all(own.map((name) => nft.holds(name, address)))).includes(true);
    };
    const isSame = live.digest !== undefined && live.digest === digest;
    return {
      loaded: isSame ? 'these' : 'others',
      lists: anyHolds(LISTED_NAMES.map(live.names)),
      letsThrough: anyHolds(['allow4', 'allow6']),
    };
  } catch (error) {
    if (error instanceof BlocklistError) return { loaded: 'unknown', lists: no, letsThrough: no };
    throw error;
  }
}
