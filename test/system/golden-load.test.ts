import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { GOLDEN_INPUTS } from '../render/golden-inputs.js';
import { elementsIn, LOCAL_SETS, liveSet, liveSetNames, merged, plainList, SEEN_SETS, SETS } from './live-sets.js';
import { Namespace } from './namespace.js';
import { describeSystem, systemTest } from './requirements.js';

const GOLDEN = fileURLToPath(new URL('../golden/', import.meta.url));

/**
 * nft up to 1.0.6 at least takes no comment of a set from JSON: the digest is lost on that way. Nor can JSON declare a set that rules fill: who was
 * dropped is not remembered there.
 */
function withoutNote(listing: string): string {
  return listing
    .replace(/^\t\tcomment "blocklist layout .*"\n/m, '')
    .replace(/^\tset seen[46] \{\n[\s\S]*?^\t\}\n\n/gm, '')
    .replace(/^\t\tupdate @seen.*\n/gm, '');
}

describeSystem('golden files in a fresh kernel', ['root', 'netns', 'nft', 'ip'], () => {
  let namespace: Namespace;
  beforeEach(async () => {
    namespace = await Namespace.create();
  });
  afterEach(async () => {
    await namespace.remove();
  });

  const load = {
    text: (name: string) => namespace.must(['nft', '-f', join(GOLDEN, `nft--${name}.nft`)]),
    json: (name: string) => namespace.must(['nft', '-j', '-f', join(GOLDEN, `json--${name}.json`)]),
  };

  describe.each(Object.entries(GOLDEN_INPUTS))('%s', (name, input) => {
    const folder = join(GOLDEN, `lists--${name}`);
    const names = [
      ...SETS,
      ...(input.out === undefined ? [] : SETS.map((set) => `out_${set}`)),
      ...(input.only === undefined ? [] : ['only_nets4', 'only_nets6']),
    ];
    const sideOf = (set: string) => (set.startsWith('out_') ? 'out' : set.startsWith('only_') ? 'only' : 'in');

    for (const form of ['text', 'json'] as const) {
      systemTest(`${form}: the live sets are the plain lists, and these the inputs`, [], async () => {
        await load[form](name);
        const filled = form === 'text' ? SEEN_SETS : [];
        expect(await liveSetNames(namespace)).toEqual([...filled, ...LOCAL_SETS, ...names, 'state']);
        for (const set of LOCAL_SETS) expect(await liveSet(namespace, set), set).toEqual([]);
        const all: Record<'in' | 'out' | 'only', string[]> = { in: [], out: [], only: [] };
        for (const set of names) {
          const live = await liveSet(namespace, set);
          const plain = await plainList(folder, set);
          expect(merged(live), set).toEqual(merged(plain));
          expect(
            plain.filter((line) => sideOf(set) !== 'only' && line.includes('/') === set.includes('nodes')),
            `form of ${set}`,
          ).toEqual([]);
          all[sideOf(set)].push(...live);
        }
        for (const side of ['in', 'out', 'only'] as const) {
          for (const family of [':', '.']) {
            const of = (texts: readonly string[]) => merged(texts.filter((text) => text.includes(family)));
            expect(of(all[side]), side).toEqual(of(input[side] ?? []));
          }
        }
      });
    }

    systemTest('text and JSON give the same ruleset, loaded once or over another', [], async () => {
      await load.text(name);
      const once = await namespace.must(['nft', 'list', 'ruleset']);
      await namespace.must(['nft', 'delete', 'table', 'inet', 'blocklist']);
      await load.json(name);
      expect(withoutNote(await namespace.must(['nft', 'list', 'ruleset']))).toBe(withoutNote(once));
      await load.text(name);
      // The sets that JSON left out are there now, behind the others; the digest, too.
      const lines = async () => (await namespace.must(['nft', 'list', 'ruleset'])).split('\n').sort();
      expect(await lines()).toEqual(once.split('\n').sort());
    });
  });

  systemTest('each replaces any other: nothing of the earlier one stays', [], async () => {
    const fresh = new Map<string, string[]>();
    for (const name of Object.keys(GOLDEN_INPUTS)) {
      await load.text(name);
      fresh.set(name, await objects());
      await namespace.must(['nft', 'delete', 'table', 'inet', 'blocklist']);
    }
    for (const first of Object.keys(GOLDEN_INPUTS)) {
      for (const second of Object.keys(GOLDEN_INPUTS)) {
        await load.text(first);
        await (first < second ? load.text(second) : load.json(second));
        expect(await objects(), `${second} over ${first}`).toEqual(fresh.get(second));
      }
    }
  });

  /** Every set with its elements and every chain with its rules, in no order: a replacement may make objects in another one. */
  async function objects(): Promise<string[]> {
    const text = withoutNote(await namespace.must(['nft', 'list', 'table', 'inet', 'blocklist']));
    const found = [...text.matchAll(/^\t(set|chain|counter) \w+ \{\n[\s\S]*?^\t\}$/gm)].map(([object]) => object);
    return found.map((object) => (object.includes('elements') ? elementsIn(object).sort().join() : object)).sort();
  }
});

systemTest('the rules of only are these, in the words of nft', ['root', 'netns', 'nft', 'ip'], async () => {
  const namespace = await Namespace.create();
  try {
    await namespace.must(['nft', '-f', join(GOLDEN, 'nft--ports.nft')]);
    const listing = await namespace.must(['nft', '-n', 'list', 'chain', 'inet', 'blocklist', 'stateful']);
    const rules = [...listing.matchAll(/^\t\t(?!type)(.*)$/gm)].map(([, rule]) => rule);
    expect(rules).toEqual([
      'iifname "lo" return',
      'ct state 0x2,0x4 ct direction 1 return',
      'ip saddr @allow4 return',
      'ip6 saddr @allow6 return',
      'icmpv6 type { 130, 131, 132, 133, 134, 135, 136, 143 } return',
      'udp sport 67 udp dport 68 return',
      'meta l4proto != { 6, 17 } return',
      'th dport != { 22, 465 } return',
      'ip saddr @only_nets4 return',
      'ip6 saddr @only_nets6 return',
      'jump elsewhere',
    ]);
    expect(listing).toContain('type filter hook prerouting priority -150; policy accept;');
  } finally {
    await namespace.remove();
  }
});

systemTest('the rules are these, in the words of nft', ['root', 'netns', 'nft', 'ip'], async () => {
  const namespace = await Namespace.create();
  try {
    await namespace.must(['nft', '-f', join(GOLDEN, 'nft--out.nft')]);
    const chains = await namespace.must(['nft', '-n', 'list', 'table', 'inet', 'blocklist']);
    const rules = (field: string, verdict: string, ...sets: readonly string[]) =>
      sets.map((set) => `\t\tip${/6$/.test(set) ? '6' : ''} ${field} @${set} ${verdict}\n`).join('');
    const chain = (name: string, hook: string, body: string) =>
      `\tchain ${name} {\n\t\ttype filter hook ${hook} priority -310; policy accept;\n${body}\t}\n`;
    const jumped = (name: string, body: string) => `\tchain ${name} {\n${body}\t}\n`;
    const early =
      rules('saddr', 'return', 'allow4', 'allow6') +
      rules('saddr', 'jump listed', 'ban4', 'ban6') +
      '\t\tjump inbound\n';
    const outward = `${rules('daddr', 'return', 'allow4', 'allow6')}\t\tjump outbound\n`;
    const listed = (counter: string, field: string) =>
      [
        'icmp type 3 icmp code 4 accept',
        'icmp type 11 accept',
        'icmpv6 type { 2, 3 } accept',
        `update @seen4 { ip ${field} }`,
        `update @seen6 { ip6 ${field} & ffff:ffff:ffff:ffff:: }`,
        `counter name "${counter}" jump dropping`,
      ]
        .map((rule) => `\t\t${rule}\n`)
        .join('');
    expect(chains).toContain(chain('early', 'prerouting', early));
    expect(chains).toContain(chain('forwarded', 'prerouting', outward));
    expect(chains).toContain(chain('outward', 'output', outward));
    expect(chains).toContain(jumped('inbound', rules('saddr', 'jump listed', 'nodes4', 'nets4', 'nodes6', 'nets6')));
    const outSets = ['out_nodes4', 'out_nets4', 'out_nodes6', 'out_nets6'];
    expect(chains).toContain(jumped('outbound', rules('daddr', 'jump listed_out', ...outSets)));
    expect(chains).toContain(jumped('listed', listed('dropped', 'saddr')));
    expect(chains).toContain(jumped('listed_out', listed('dropped_out', 'daddr')));
    expect(chains).toContain(jumped('dropping', '\t\tdrop\n'));
    expect([...chains.matchAll(/chain (\w+)/g)].map(([, name]) => name)).toEqual([
      'dropping',
      'listed',
      'inbound',
      'early',
      'listed_out',
      'outbound',
      'forwarded',
      'outward',
    ]);
    const digest = /sha256:[0-9a-f]{64}/.exec(readFileSync(join(GOLDEN, 'lists--out', 'manifest.json'), 'utf8'))?.[0];
    const state = await namespace.must(['nft', '-t', 'list', 'sets', 'inet']);
    expect(state).toContain(`\tset state {\n\t\ttype mark\n\t\tcomment "blocklist layout 3 ${digest}"\n\t}\n`);
  } finally {
    await namespace.remove();
  }
});
