import { drift, driftWords, loadAndVerify } from '../apply/apply.js';
import type { Content, LocalContent, Target } from '../apply/differences.js';
import { localContent } from '../apply/local-sets.js';
import { Nft, nftVersion } from '../apply/nft.js';
import { planOf } from '../apply/plan.js';
import { loadStaged } from '../apply/staged.js';
import { BlocklistError } from '../errors.js';
import { type Held, holdOpen } from '../io/held.js';
import { fourSets, IpSet, parsePrefix } from '../ip/index.js';
import { renderScript } from '../render/artefact.js';
import { digestOf, policyOf, renderLists } from '../render/manifest.js';
import { type Bench, examination, type Finding, good, told } from './contract.js';
import { lackingFeatures } from './features.js';
import { attempt } from './look.js';

/** What came of loading our own rules, small, in a network namespace that nobody else uses. */
export type ProbeFacts =
  | { readonly ran: false; readonly why: string; readonly fix: string | undefined }
  | {
      readonly ran: true;
      /** steps that went well */
      readonly done: readonly string[];
      readonly failed?: { readonly step: string; readonly why: string; readonly lacking: readonly string[] };
    };

const WAYS = [
  { unshare: ['unshare', '-n'], enter: ['-n'] },
  // With a user namespace around it, where plain users may make one.
  { unshare: ['unshare', '-r', '-n'], enter: ['-U', '--preserve-credentials', '-n'] },
] as const;

async function gather(): Promise<ProbeFacts> {
  const version = await attempt(nftVersion);
  if (version instanceof BlocklistError) return notRun(version);
  const whys: BlocklistError[] = [];
  for (const { unshare, enter } of WAYS) {
    const held = await attempt(() => holdOpen(unshare));
    if (held instanceof BlocklistError) whys.push(held);
    else return inNamespace(held, ['nsenter', '-t', String(held.pid), ...enter]);
  }
  return notRun(whys[0]);
}

function notRun(error: BlocklistError | undefined): ProbeFacts {
  return { ran: false, why: error?.message ?? 'not allowed here', fix: error?.hint };
}

async function inNamespace(held: Held, prefix: readonly string[]): Promise<ProbeFacts> {
  const nft = new Nft(prefix);
  const done: string[] = [];
  try {
    for (const [step, work] of STEPS) {
      const problem = await attempt(() => work(nft));
      if (problem === undefined) done.push(step);
      // nsenter(1) is not there: that says nothing about the rules.
      else if (problem instanceof BlocklistError && problem.code === 'program-missing') return notRun(problem);
      else {
        const why = problem instanceof BlocklistError ? problem.message : problem;
        return { ran: true, done, failed: { step, why, lacking: await lackingFeatures(nft) } };
      }
    }
    return { ran: true, done };
  } finally {
    await held.release();
  }
}

/** Ten elements of each set; `seed` makes other single addresses of the same number. */
function tenOfEach(seed: number): Content {
  const ten = (make: (k: number) => string) => Array.from({ length: 10 }, (_, k) => make(2 * k + 1));
  const side = (net: number) =>
    fourSets(
      IpSet.from([
        ...ten((k) => `45.${net}.0.${k === 1 ? 1 + 2 * 10 * seed : k}`),
        ...ten((k) => `46.${net}.${k}.0/24`),
        ...ten((k) => `2a00:${net}::${k}`),
        ...ten((k) => `2a01:${net}:${k}::/48`),
      ]),
    );
  const { nets4, nets6 } = side(11);
  const sets = { in: side(9), out: side(10), only: { nets4, nets6, ports: [22, 443] } };
  return { sets, digest: digestOf(renderLists(sets), policyOf(sets)) };
}

const LOCAL: LocalContent = localContent(
  ['192.0.2.0/24', '2001:db8::/64'].map((text) => ({ prefix: parsePrefix(text), until: undefined })),
  ['198.51.100.7', '2001:db8:1::/64'].map((text) => ({ prefix: parsePrefix(text), until: 3_600_000 })),
  0,
);
const [FIRST, SECOND] = [tenOfEach(0), tenOfEach(1)];
const target = (artefact: Content): Target => ({ artefact, local: LOCAL });

/** Nothing is kept of a probe. */
const NOTHING_BESIDE = { beside: async () => undefined, keep: async () => undefined };

/** Each returns what is wrong, in words; what nft refuses is thrown. */
const STEPS: ReadonlyArray<readonly [string, (nft: Nft) => Promise<string | undefined>]> = [
  [
    'load',
    async (nft) => {
      const nothing = { live: undefined, base: undefined };
      await loadAndVerify(nft, target(FIRST), nothing, planOf(FIRST, nothing), 'read-back', NOTHING_BESIDE);
      return undefined;
    },
  ],
  [
    'timeouts',
    async (nft) => {
      const seconds = (await nft.localSets(['ban4', 'ban6'])).values();
      const isTimed = [...seconds].every((set) => set.length === 1 && set.every((each) => each.seconds !== undefined));
      return isTimed ? undefined : 'timeouts of elements were not read back';
    },
  ],
  [
    'change',
    async (nft) => {
      const situation = { live: await nft.situation(), base: FIRST };
      const { loaded } = await loadAndVerify(
        nft,
        target(SECOND),
        situation,
        planOf(SECOND, situation),
        'read-back',
        NOTHING_BESIDE,
      );
      return loaded === 'delta' ? undefined : 'elements could not be added and deleted one by one';
    },
  ],
  [
    'script',
    async (nft) => {
      await nft.load(renderScript(FIRST.sets, FIRST.digest));
      return differences(nft, FIRST);
    },
  ],
  [
    'swap',
    async (nft) => {
      await loadStaged(nft, target(SECOND), await nft.situation());
      return differences(nft, SECOND);
    },
  ],
  [
    'removal',
    async (nft) => {
      await nft.deleteTable();
      return (await nft.structure()) === undefined ? undefined : 'the table is still there';
    },
  ],
];

async function differences(nft: Nft, artefact: Content): Promise<string | undefined> {
  const found = await drift(nft, target(artefact));
  return found === undefined ? undefined : driftWords(found);
}

export function judgeProbe(facts: ProbeFacts, { line }: Bench): Finding[] {
  if (!facts.ran) {
    const fix = facts.fix ?? `run it as root: sudo ${line('doctor')}; in a container, with CAP_SYS_ADMIN`;
    return [told('probe', 'unknown', `rules could not be tried in a network namespace: ${facts.why}`, fix)];
  }
  const { failed, done } = facts;
  if (failed === undefined)
    return [good('probe', `ten elements of each set in a namespace of their own: ${done.join(', ')} go well`)];
  const lacks = failed.lacking.length === 0 ? failed.why : `nft or the kernel refuses ${failed.lacking.join(', ')}`;
  const fix =
    failed.lacking.length === 0
      ? 'report this with nft --version and uname -r; until then nothing should be loaded here'
      : 'modprobe nf_tables if the kernel has it as a module; otherwise a newer kernel and nftables package';
  return [
    told('probe', 'problem', `rules tried in a namespace of their own fail at ${failed.step}: ${lacks}`, fix, 'nft'),
  ];
}

export const probe = examination('probe', { gather, judge: judgeProbe });
