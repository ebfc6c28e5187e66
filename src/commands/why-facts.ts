import { type LocalEntry, readLocalEntries } from '../apply/local-entries.js';
import { explain } from '../build/explain.js';
import { BlocklistError } from '../errors.js';
import { type Address, overlap, type Prefix } from '../ip/index.js';
import { readLastBuild } from '../report/last-build.js';
import { type Answer, answerOf, type LetThrough, type RulesState } from '../report/why.js';
import type { GeoLookup } from '../sources/geo/lookup.js';
import type { Unread } from '../sources/holding.js';
import type { Context, GlobalOptions } from './context.js';
import type { Project } from './project.js';
import { openHoldings } from './provenance.js';
import { openSpared } from './spared.js';
import { askKernel, type Kernel } from './why-kernel.js';
import { askRules } from './why-rules.js';

/** The answers, in the order of the questions. */
export interface Answers {
  readonly answers: readonly Answer[];
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
    readLocalEntries(project.state, context.now()),
  );
  const isSingle = blocks.every(({ family, length }) => length === family.bits);
  const isFew = isSingle && blocks.length <= MOST_ASKED;
  // Asked while the files are read.
  const asking = askKernel(rules.digest, context);
  const [holdings, spared] = [await openHoldings(project, blocks, options, context), await openSpared(blocks, project)];
  const places = await attempt<readonly Place[]>('country database', [], async () => {
    const geo = await holdings.geo();
    return blocks.map(({ family, words }) => placeOf({ family, words }, geo));
  });
  const ofAll = project.config.sources.density;
  const explained = blocks.map((block) => explain(block, holdings.held, ofAll));
  const kernel = await asking;
  const hosts = await attempt<readonly LetThrough[]>('addresses of this host', [], () =>
    letThrough(blocks, isFew, kernel, project),
  );
  const touches =
    (block: Prefix) =>
    ({ prefix }: { readonly prefix: Prefix }) =>
      overlap(block, prefix);
  const answers: Answer[] = [];
  for (const [i, block] of blocks.entries()) {
    const isAsked = isFew && kernel.loaded === 'others';
    answers.push(
      answerOf({
        block,
        ...rules.ruled[i]!,
        explained: explained[i] ?? explain(block, [], undefined),
        spared: spared.of(block),
        decisions: decisions.filter(touches(block)),
        letThrough: hosts.filter(touches(block)),
        inKernel: isAsked ? await kernel.lists(block) : undefined,
        country: places[i]?.country,
        network: places[i]?.network,
      }),
    );
  }
  const built = await attempt('last build', undefined, () => readLastBuild(project.updateState));
  const dates = new Map(built?.sources.map(({ id, date }) => [id, date]));
  return {
    answers,
    rules: { digest: rules.digest, built: built?.at, loaded: kernel.loaded, dateOf: (id) => dates.get(id) },
    unread: [...rules.unread, ...holdings.unread, ...spared.unread, ...unread],
  };
}

type Place = Pick<Answer, 'country' | 'network'>;

function placeOf(address: Address, geo: GeoLookup): Place {
  return { country: geo.countryOf(address), network: geo.networkOf(address) };
}

/**
 * Whom this host lets through whatever the rules say. Who they are is asked of other programs, which takes as long as all the rest: for a few addresses only
 * when the kernel says that one of them is let through.
 */
async function letThrough(
  blocks: readonly Prefix[],
  isFew: boolean,
  kernel: Kernel,
  { config }: Project,
): Promise<readonly LetThrough[]> {
  const open = isFew ? await Promise.all(blocks.map(kernel.letsThrough)) : [true];
  const admins = config.local.admins.map((prefix) => ({ prefix, what: 'an address of local.admins' }));
  if (!open.includes(true)) return admins;
  const { protectedHosts } = await import('./local.js');
  return protectedHosts(config);
}
