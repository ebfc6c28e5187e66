import { type LocalEntry, readLocalEntries } from '../apply/local-entries.js';
import { explain } from '../build/explain.js';
import { BlocklistError } from '../errors.js';
import { isNearby } from '../host/nearby.js';
import { IpSet, type Prefix, PrefixIndex, partIn } from '../ip/index.js';
import { type HostHits, hitsOf } from '../report/host-hits.js';
import { readLastBuild } from '../report/last-build.js';
import { type Answer, answerOf, type LetThrough, type RulesState } from '../report/why.js';
import type { Unread } from '../sources/holding.js';
import type { Context, GlobalOptions } from './context.js';
import type { Project } from './project.js';
import { openHoldings } from './provenance.js';
import { openSpared } from './spared.js';
import { askKernel, type Kernel } from './why-kernel.js';
import { askRules } from './why-rules.js';

export interface Answers {
  /** in the order of the questions, each made when it is its turn: a hundred thousand of them need no room */
  readonly answers: Iterable<Answer>;
  readonly rules: RulesState;
  /** what could not be looked into */
  readonly unread: readonly Unread[];
}

/** The kernel is asked for so many addresses at most, where it holds other rules. */
const MOST_ASKED = 16;

/** Gathers what is known of each block, from this host alone. */
export async function answersFor(
  blocks: readonly Prefix[],
  project: Project,
  options: GlobalOptions,
  context: Context,
): Promise<Answers> {
  const unread: Unread[] = [];
  const attempt = async <T>(id: string, otherwise: T, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (problem) {
      if (!(problem instanceof BlocklistError)) throw problem;
      unread.push({ id, problem });
      return otherwise;
    }
  };
  const rules = await askRules(project.config.paths.rules, blocks);
  const decisions = await attempt<readonly LocalEntry[]>('decisions of this host', [], () =>
    readLocalEntries(project.bansState, context.now()),
  );
  const isSingle = blocks.every(({ family, length }) => length === family.bits);
  const isFew = isSingle && blocks.length <= MOST_ASKED;
  // Asked while the files are read.
  const asking = askKernel(rules.digest, context);
  const [holdings, spared] = [await openHoldings(project, blocks, options, context), await openSpared(blocks, project)];
  const geo = await attempt('country database', undefined, holdings.geo);
  const kernel = await asking;
  const asked = IpSet.from(blocks);
  const indexed = <T extends { readonly prefix: Prefix }>(all: readonly T[]) =>
    new PrefixIndex(
      all.filter(({ prefix }) => !partIn(asked, prefix).isEmpty),
      ({ prefix }) => prefix,
    );
  const decided = indexed(decisions);
  const hosts = indexed(
    await attempt<readonly LetThrough[]>('addresses of this host', [], () =>
      letThrough(blocks, isFew, kernel, project),
    ),
  );
  const inKernel = await attempt<readonly boolean[]>('loaded rules', [], async () =>
    isFew && kernel.loaded === 'others' ? Promise.all(blocks.map(kernel.lists)) : [],
  );
  const hits = await attempt<ReadonlyArray<HostHits | undefined>>('what was dropped', [], async () =>
    isFew ? hitsOf(project.state, blocks, await Promise.all(blocks.map(kernel.dropped)), context.now()) : [],
  );
  const built = await attempt('last build', undefined, () => readLastBuild(project.updateState));
  const dates = new Map(built?.sources.map(({ id, date }) => [id, date]));
  const answer = (block: Prefix, i: number) =>
    answerOf({
      block,
      ...rules.ruled(i),
      explained: explain(block, holdings.held, project.config.sources.density),
      spared: spared.of(block),
      decisions: decided.touching(block),
      letThrough: hosts.touching(block),
      inKernel: inKernel[i],
      hits: hits[i],
      country: geo?.countryOf(block),
      network: geo?.networkOf(block),
    });
  return {
    answers: mapped(blocks, answer),
    rules: {
      digest: rules.digest,
      policy: rules.policy,
      built: built?.at,
      loaded: kernel.loaded,
      dateOf: (id) => dates.get(id),
    },
    unread: [...rules.unread, ...holdings.unread, ...spared.unread, ...unread],
  };
}

function* mapped<T, U>(all: readonly T[], make: (each: T, i: number) => U): Generator<U, void, undefined> {
  for (const [i, each] of all.entries()) yield make(each, i);
}

/**
 * Whom this host lets through whatever the rules say. Who they are is asked of other programs, which takes as long as all the rest: for a few addresses only
 * when the kernel says that one of them is let through or, where it cannot say that, when one is of a network of this host.
 */
async function letThrough(
  blocks: readonly Prefix[],
  isFew: boolean,
  { letsThrough }: Kernel,
  { config }: Project,
): Promise<readonly LetThrough[]> {
  const mayBe = async () =>
    letsThrough === undefined ? isNearby(blocks) : (await Promise.all(blocks.map(letsThrough))).includes(true);
  if (isFew && !(await mayBe()))
    return config.local.admins.map((prefix) => ({ prefix, what: 'an address of local.admins' }));
  const { protectedHosts } = await import('./local.js');
  return protectedHosts(config);
}
