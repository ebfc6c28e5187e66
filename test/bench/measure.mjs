import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const PAIRS = 5;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Wall time in ms of a whole process whose output goes to `output`. */
export function wall(argv, output = '/dev/null', stdio = []) {
  const file = openSync(output, 'w');
  const start = performance.now();
  const { status, error } = spawnSync(argv[0], argv.slice(1), { stdio: ['ignore', file, 'ignore', ...stdio] });
  const ms = performance.now() - start;
  closeSync(file);
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}`);
  return ms;
}

/** Runs two measurements in turn, so that a busy moment meets both: medians, and the median of the ratios of the pairs. */
export async function pairs(ours, theirs) {
  const a = [];
  const b = [];
  for (let i = 0; i < PAIRS; i++) {
    a.push(await ours());
    b.push(await theirs());
  }
  return { ours: median(a), theirs: median(b), ratio: median(a.map((value, i) => value / b[i])) };
}

/** Peak resident memory in MB of a node process with these arguments. */
export function peakMemory(args) {
  const preload = fileURLToPath(new URL('report-memory.cjs', import.meta.url));
  const result = spawnSync('node', ['--require', preload, ...args], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  if (result.status !== 0) throw new Error(`node ${args.join(' ')} ended with ${result.status}`);
  return Number(result.output[3].toString()) / 1024;
}

export function has(program) {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export function sameBytes(a, b) {
  return Buffer.compare(readFileSync(a), readFileSync(b)) === 0;
}
