import { readManifest } from '../apply/artefact-store.js';
import { BlocklistError } from '../errors.js';
import { grouped } from '../io/figures.js';
import { type Bench, examination, type Finding, good, type Host, told } from './contract.js';
import { wordsOf } from './look.js';

export interface MemoryFacts {
  /** bytes that a new program can have; undefined when the kernel does not say */
  readonly available: number | undefined;
  /** prefixes of the rules */
  readonly prefixes: number;
}

async function gather({ root, config }: Host): Promise<MemoryFacts> {
  const manifest = config instanceof BlocklistError ? undefined : await readManifest(config.paths.rules);
  const prefixes = Object.values(manifest?.sets ?? {}).reduce((sum, each) => sum + each.prefixes, 0);
  const limits = [await ofMachine(root), await ofGroup(root)].filter((each) => each !== undefined);
  return { available: limits.length === 0 ? undefined : Math.min(...limits), prefixes };
}

/** proc_meminfo(5) */
async function ofMachine(root: string): Promise<number | undefined> {
  const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(await wordsOf(root, '/proc/meminfo'))?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/** What is left of a container's share (cgroup v2, memory.max). */
async function ofGroup(root: string): Promise<number | undefined> {
  const [most, used] = await Promise.all(
    ['max', 'current'].map(async (name) => Number.parseInt(await wordsOf(root, `/sys/fs/cgroup/memory.${name}`), 10)),
  );
  return Number.isFinite(most) && Number.isFinite(used) ? Math.max(0, (most ?? 0) - (used ?? 0)) : undefined;
}

/** Node with the rules read, and nft: 98 MB for 203,000 entries, 130 MB for their refill, 414 MB as JSON for 539,000 (measured). */
const BASE = 100e6;
const PER_PREFIX = 1200;

export function judgeMemory({ available, prefixes }: MemoryFacts, _bench?: Bench): Finding[] {
  const need = BASE + PER_PREFIX * prefixes;
  const megabytes = (bytes: number) => `${grouped(Math.round(bytes / 1e6))} MB`;
  if (available === undefined)
    return [told('memory', 'unknown', 'the kernel does not tell how much memory is free', 'mount /proc')];
  const words = `${megabytes(available)} free, ${megabytes(need)} needed for ${grouped(prefixes)} prefixes`;
  if (available >= need) return [good('memory', words)];
  return [told('memory', 'problem', words, 'add swap or memory, or drop the largest source: blocklist feeds overlap')];
}

export const memory = examination('memory', { gather, judge: judgeMemory });
