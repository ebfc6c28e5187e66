import { availableParallelism, loadavg } from 'node:os';
import { expect } from 'vitest';
import type { Measured, Stream } from './stream.js';

/** Listed in all of the rules, though not always in the same set. */
export const LISTED: readonly Stream[] = [
  { name: 'node4', source: '62.1.1.7' },
  { name: 'net4', source: '62.1.1.65' },
  { name: 'toNet4', source: '62.1.1.11' },
  { name: 'toNode4', source: '62.1.1.21' },
  { name: 'node6', source: '2a02:1::7' },
  { name: 'net6', source: '2a02:1::1:5' },
  { name: 'toNet6', source: '2a02:1::b' },
  { name: 'toNode6', source: '2a02:1::15' },
];
export const FREE: readonly Stream[] = [
  { name: 'free4', source: '62.1.1.200' },
  { name: 'free6', source: '2a02:1::200' },
];
const STAY = ['62.1.1.7', '62.1.1.64/26', '2a02:1::7', '2a02:1::1:0/112'];
/** Whoever goes from one to the other is a node that goes into a net, or the other way round. */
export const ONE_WAY = [...STAY, '62.1.1.11', '62.1.1.20/31', '2a02:1::b', '2a02:1::14/127'];
export const OTHER_WAY = [...STAY, '62.1.1.10/31', '62.1.1.21', '2a02:1::a/127', '2a02:1::15'];

function sum(measured: Measured, streams: readonly Stream[], point: 'before' | 'behind'): number {
  return streams.reduce((total, { name }) => total + (measured.counts[name]?.[point] ?? Number.NaN), 0);
}

const grouped = (figure: number) => Math.round(figure).toLocaleString('en');

/** Nothing leaked, nothing lost, and enough was sent to see it; the figures are printed. */
export function judge(what: string, measured: Measured): void {
  const [sent, leaked] = [sum(measured, LISTED, 'before'), sum(measured, LISTED, 'behind')];
  const [free, passed] = [sum(measured, FREE, 'before'), sum(measured, FREE, 'behind')];
  const slowest = Math.min(...LISTED.map(({ name }) => (measured.counts[name]?.before ?? 0) / measured.seconds));
  process.stdout.write(
    `${what}: ${grouped(sent)} packets of ${LISTED.length} listed addresses in ${measured.seconds} s ` +
      `(${grouped(sent / measured.seconds)}/s, each at least ${grouped(slowest)}/s), ${leaked} leaked; ` +
      `${grouped(free)} of unlisted ones, ${free - passed} lost\n`,
  );
  for (const { name } of LISTED) expect(measured.counts[name]?.behind, `leaked from ${name}`).toBe(0);
  for (const { name } of FREE)
    expect(measured.counts[name]?.behind, `lost of ${name}`).toBe(measured.counts[name]?.before);
  // Where others keep the machine busy, the sender has its share of it.
  const share = Math.min(1, availableParallelism() / (loadavg()[0] ?? 1));
  expect(sent / measured.seconds).toBeGreaterThanOrEqual(100_000 * share);
}
