import { hostname } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SourceShare } from '../../src/build/build.js';
import { renderArtefact, renderNft } from '../../src/render/artefact.js';
import { DEFAULT_POLICY } from '../../src/render/default-policy.js';
import { renderNftJson } from '../../src/render/nft-json.js';
import { ruleSets } from './golden.js';
import { GOLDEN_INPUTS, type GoldenInput } from './golden-inputs.js';

/** All bytes that a render gives. */
function everything(input: GoldenInput, shares: readonly SourceShare[] = []): string {
  const sets = ruleSets(input);
  const files = [...renderArtefact(sets, shares)].map(([name, bytes]) => `${name}\n${Buffer.from(bytes)}`);
  return [...files, JSON.stringify(renderNftJson(sets))].join('\n');
}

const octet = fc.nat(255);
const v4 = fc
  .tuple(fc.integer({ min: 11, max: 99 }), octet, octet, octet, fc.integer({ min: 16, max: 32 }))
  .map(([a, b, c, d, length]) => `${a}.${b}.${c}.${d}/${length}`);
const v6 = fc
  .tuple(fc.nat(0xffff), fc.nat(0xffff), fc.integer({ min: 33, max: 128 }))
  .map(([a, b, length]) => `2a02:${a.toString(16)}::${b.toString(16)}/${length}`);
const entries = fc.array(fc.oneof(v4, v6), { maxLength: 60 });
/** A list, and the same one in another order with every line twice. */
const shuffled = entries.chain((lines) => {
  const twice = [...lines, ...lines];
  return fc.tuple(fc.constant(lines), fc.shuffledSubarray(twice, { minLength: twice.length }));
});

/** Elements by set, from the text of a script. */
function elementLines(script: string): Map<string, string[]> {
  const blocks = script.matchAll(/^add element inet blocklist (\S+) \{\n([\s\S]*?)^\}$/gm);
  return new Map([...blocks].map(([, name = '', body = '']) => [name, body.split('\n').slice(0, -1)]));
}

/** A number whose order is the order of addresses: independent of the product's own parser. */
function orderOf(element: string): bigint {
  const [address = ''] = element.split('/');
  if (!address.includes(':')) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const url = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail = ''] = url.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

describe('the same addresses give the same bytes', () => {
  test('in any order and with repetitions', () => {
    fc.assert(
      fc.property(shuffled, shuffled, ([a, b], [c, d]) => {
        expect(everything({ in: b, out: d })).toBe(everything({ in: a, out: c }));
      }),
      { numRuns: 100 },
    );
  });

  test('at another time: ages of sources are not in the artefact', () => {
    const share = (ageMs: number): SourceShare => ({
      ...{ id: 'mine', kind: 'file', direction: 'in', entries: 3 },
      ...{ addresses: { v4: 3, v6: 0n }, unique: { v4: 1, v6: 0n }, ageMs },
    });
    const input = GOLDEN_INPUTS.both;
    expect(everything(input, [share(0)])).toBe(everything(input, [share(86_400_000)]));
  });
});

describe.each(Object.entries(GOLDEN_INPUTS))('the text of %s', (_name, input) => {
  const all = everything(input);
  const script = Buffer.from(renderNft(ruleSets(input))).toString('utf8');

  test('names no time and no host', () => {
    expect(all).not.toMatch(/\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d[^:\da-f]|\b1[67]\d{8}(\d{3})?\b/);
    expect(all).not.toContain(hostname());
  });

  test('has one element a line, in numeric order', () => {
    const sets = elementLines(script);
    expect(sets.size).toBeGreaterThan(0);
    for (const [name, lines] of sets) {
      for (const line of lines) expect(line, name).toMatch(/^\t[0-9a-f.:]+(\/\d+)?,$/);
      const order = lines.map((line) => orderOf(line.slice(1, -1)));
      for (const [i, value] of order.entries())
        if (i > 0) expect(value > order[i - 1]!, `${name}: ${lines[i]}`).toBe(true);
    }
  });

  test('counts in the header what stands below it', () => {
    const sets = elementLines(script);
    const told = [...script.matchAll(/^# (\w+): (\d+) prefixes, \d+ addresses$/gm)];
    expect(told.map(([, name]) => name).slice(0, 4)).toEqual(['nodes4', 'nets4', 'nodes6', 'nets6']);
    for (const [, name = '', prefixes] of told) expect(Number(prefixes), name).toBe(sets.get(name)?.length ?? 0);
  });

  test('carries one digest: header, state set and manifest agree', () => {
    const found = new Set(all.match(/sha256:[0-9a-f]{64}/g));
    expect(found.size).toBe(1);
  });
});

test('another address, direction, set, port or policy gives another digest', () => {
  const digest = (input: GoldenInput) => /sha256:[0-9a-f]{64}/.exec(everything(input))?.[0];
  const digests = [
    digest({ in: ['45.9.20.7'] }),
    digest({ in: ['45.9.20.8'] }),
    digest({ in: ['45.9.20.6/31'] }),
    digest({ in: ['45.9.20.7'], out: [] }),
    digest({ in: ['45.9.20.7'], out: ['45.9.20.7'] }),
    digest({ in: [], out: ['45.9.20.7'] }),
    digest({ in: [], only: ['45.9.20.7'] }),
    digest({ in: [], only: ['45.9.20.7'], ports: [22] }),
    digest({ in: [], only: ['45.9.20.7'], ports: [22, 25] }),
    digest({ in: [], only: [] }),
    digest({ in: ['45.9.20.7'], policy: { drop: 'new' } }),
    digest({ in: ['45.9.20.7'], policy: { ports: [22] } }),
    digest({ in: ['45.9.20.7'], policy: { ports: [22, 25] } }),
    digest({ in: ['45.9.20.7'], policy: { skipInterfaces: ['wg0'] } }),
    digest({ in: ['45.9.20.7'], policy: { skipInterfaces: ['wg1'] } }),
    digest({ in: ['45.9.20.7'], policy: { skipInterfaces: ['wg0', 'wg1'] } }),
    digest({ in: ['45.9.20.7'], policy: { alsoOutbound: true } }),
    digest({ in: ['45.9.20.7'], policy: { log: { count: 10, per: 'minute' } } }),
    digest({ in: ['45.9.20.7'], policy: { log: { count: 10, per: 'hour' } } }),
    digest({ in: ['45.9.20.7'], policy: { log: { count: 11, per: 'minute' } } }),
    digest({ in: ['45.9.20.7'], policy: { echoLimit: { count: 10, per: 'minute' } } }),
    digest({ in: ['45.9.20.7'], policy: { drop: 'new', ports: [22] } }),
    digest({ in: ['45.9.20.7'], only: [], policy: { ports: [22] } }),
    digest({ in: ['45.9.20.7'], only: [], ports: [22] }),
  ];
  expect(new Set(digests).size).toBe(digests.length);
});

test('only our table is named, and nothing of ours is deleted but the state set and what is not in use', () => {
  for (const input of Object.values(GOLDEN_INPUTS)) {
    const script = Buffer.from(renderNft(ruleSets(input))).toString('utf8');
    const statements = script.split('\n').filter((line) => /^[a-z]/.test(line));
    for (const line of statements) expect(line).toMatch(/^(add|flush|delete) \w+ inet blocklist( |$)/);
    expect(script).not.toMatch(/flush ruleset|delete table|include/);
    const deleted = statements.filter((line) => line.startsWith('delete')).map((line) => line.split(' ').at(-1));
    const [withOut, withOnly] = [input.out !== undefined, input.only !== undefined];
    const { drop, alsoOutbound } = { ...DEFAULT_POLICY, ...input.policy };
    const [isNew, withOutChains] = [drop === 'new', withOut || alsoOutbound];
    expect(deleted).toEqual([
      ...(withOnly || isNew ? [] : ['stateful']),
      ...(withOutChains && !isNew ? [] : ['forwarded', 'outward']),
      ...(withOutChains && isNew ? [] : ['forwarded_new', 'outward_new']),
      ...(withOutChains ? [] : ['outbound', 'listed_out']),
      ...(withOnly ? [] : ['elsewhere']),
      ...(withOut ? [] : ['out_nodes4', 'out_nets4', 'out_nodes6', 'out_nets6']),
      ...(withOnly ? [] : ['only_nets4', 'only_nets6']),
      'state',
    ]);
    // What belongs to a host, and what the rules fill, is declared and looked at, never emptied or filled.
    const local = statements.filter((line) => / (allow|ban|seen)[46]\b/.test(line) && !line.startsWith('add rule'));
    expect(local.map((line) => line.split(' {')[0])).toEqual(
      ['seen4', 'seen6', 'allow4', 'allow6', 'ban4', 'ban6'].map((name) => `add set inet blocklist ${name}`),
    );
  }
});
