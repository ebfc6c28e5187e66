import { release } from 'node:os';
import { dirname } from 'node:path';
import { Nft } from '../apply/nft.js';
import { BlocklistError } from '../errors.js';
import { run } from '../io/run.js';
import { type Bench, examination, type Finding, good, type Host, told } from './contract.js';
import { attempt, isThere } from './look.js';

export interface ProgramFacts {
  /** `20.19.0` */
  readonly node: string;
  /** `6.1.0-18-amd64` */
  readonly kernel: string;
  readonly nft: string | BlocklistError;
  /** the first line that each prints about its version */
  readonly others: ReadonlyMap<Other, string | BlocklistError>;
  /** rules/ lies in a work tree of git */
  readonly isInGit: boolean;
}

type Other = 'ip' | 'ss' | 'unshare' | 'conntrack' | 'git';
const OTHERS: ReadonlyMap<Other, readonly [string, ...string[]]> = new Map([
  ['ip', ['ip', '-V']],
  ['ss', ['ss', '-V']],
  ['unshare', ['unshare', '--version']],
  ['conntrack', ['conntrack', '--version']],
  ['git', ['git', '--version']],
]);

async function gather({ config }: Host): Promise<ProgramFacts> {
  const others = [...OTHERS].map(async ([name, argv]) => [name, await attempt(() => firstLine(argv))] as const);
  return {
    node: process.versions.node,
    kernel: release(),
    nft: await attempt(() => new Nft().requireVersion()),
    others: new Map(await Promise.all(others)),
    isInGit: !(config instanceof BlocklistError) && (await isInGit(config.paths.rules)),
  };
}

async function firstLine(argv: readonly [string, ...string[]]): Promise<string> {
  const { stdout, stderr } = await run(argv, { timeoutMs: 10_000 });
  return `${stdout.toString('utf8')}${stderr}`.trim().split('\n')[0] ?? '';
}

async function isInGit(folder: string): Promise<boolean> {
  if (await isThere(folder, '.git')) return true;
  const parent = dirname(folder);
  return parent !== folder && isInGit(parent);
}

/** What this release was built and tested for (package.json, engines). */
const OLDEST_NODE = [20, 19] as const;
/** Named counters, which the rules use, came with 4.10; the probe proves the rest. */
const OLDEST_KERNEL = [4, 10] as const;

export function judgePrograms({ node, kernel, nft, others, isInGit }: ProgramFacts, _bench?: Bench): Finding[] {
  return [
    isAtLeast(node, OLDEST_NODE)
      ? good('node', `node ${node}`)
      : told(
          'node',
          'problem',
          `node is ${node}, needed is 20.19`,
          'install Node 20.19 or newer, from nodejs.org or your distribution',
          'node',
        ),
    isAtLeast(kernel, OLDEST_KERNEL)
      ? good('kernel', `Linux ${kernel}`)
      : told('kernel', 'problem', `Linux ${kernel} has no named counters in nftables`, 'run a kernel of 4.10 or newer'),
    nft instanceof BlocklistError
      ? told('nft', 'problem', nft.message, nft.hint ?? 'install nftables', 'nft')
      : good('nft', `nft ${nft}`),
    ...judgeOther('ip', others, 'problem', 'own addresses and gateways are not found without it, so apply refuses'),
    ...judgeOther('ss', others, 'problem', 'live sessions are not seen without it, so apply refuses'),
    ...judgeOther('unshare', others, 'note', 'rules are not tried in a namespace of their own'),
    ...judgeOther('conntrack', others, 'note', 'flows of addresses that become listed are not removed'),
    ...(isInGit ? judgeOther('git', others, 'problem', 'the rules lie in git; apply --ref reads them with it') : []),
  ];
}

const PACKAGES: Readonly<Record<Other, string>> = {
  ip: 'iproute2',
  ss: 'iproute2',
  unshare: 'util-linux',
  conntrack: 'conntrack (conntrack-tools elsewhere)',
  git: 'git',
};

function judgeOther(
  name: Other,
  others: ProgramFacts['others'],
  state: 'problem' | 'note',
  without: string,
): Finding[] {
  const found = others.get(name);
  if (typeof found === 'string') return [good(name, found === '' ? `${name} is there` : found)];
  if (found === undefined) return [];
  return [told(name, state, `${found.message}: ${without}`, `install it: apt-get install ${PACKAGES[name]}`, name)];
}

/** Compares the first numbers of a version. */
function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [has = 0, hasMinor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return has > major || (has === major && hasMinor >= minor);
}

export const programs = examination('programs', { gather, judge: judgePrograms });
