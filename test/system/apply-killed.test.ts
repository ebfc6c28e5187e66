import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { manyNets, manyNodes, Rules } from './apply-kinds.js';
import { elementsIn, liveSetNames, merged, plainList, type Range } from './live-sets.js';
import { Namespace } from './namespace.js';
import { describeSystem, systemTest } from './requirements.js';
import { ageLock, StandIn, smallBuffer } from './stand-in.js';

/** 45.9.20.7 goes from node to net, 45.9.30.7 the other way. */
const LISTS = {
  old: ['45.9.20.7', '45.9.30.6/31', '2a02::7', '2a03::/64', ...manyNodes(300), ...manyNets(300)],
  delta: ['45.9.20.6/31', '45.9.30.7', '2a02::6/127', '2a03::1', ...manyNodes(290), ...manyNets(200), '99.1.1.1'],
  full: ['45.9.20.6/31', '45.9.30.7', '2a02::6/127', '2a03::1', ...manyNodes(300, 1), ...manyNets(300, 1)],
};
type Name = keyof typeof LISTS;

/** Elements of four logical sets, as the rules of `early` look at them: `nodes4` or `nodes4_b`. */
async function seen(namespace: Namespace): Promise<Range[]> {
  const inbound = await namespace.must(['nft', 'list', 'chain', 'inet', 'blocklist', 'inbound']);
  const names = [...inbound.matchAll(/@((?:nodes|nets)[46](?:_b)?) jump listed/g)].map(([, name]) => name ?? '');
  expect(names, inbound).toHaveLength(4);
  const listings = await Promise.all(
    names.map((name) => namespace.must(['nft', 'list', 'set', 'inet', 'blocklist', name])),
  );
  return joined(listings.flatMap(elementsIn));
}

/** IPv4 and IPv6 numbers do not meet: what is IPv6 here begins above all of IPv4. */
function joined(texts: readonly string[]): Range[] {
  const isSix = (text: string) => text.includes(':');
  return [...merged(texts.filter((text) => !isSix(text))), ...merged(texts.filter(isSix))];
}

function holds(ranges: readonly Range[], [first, last]: Range): boolean {
  return ranges.some(([from, to]) => from <= first && last <= to);
}

/** Whether every address of one is in the other. Both are merged, so a range is in one range or in none. */
const within = (some: readonly Range[], all: readonly Range[]) => some.every((range) => holds(all, range));

describeSystem('apply is killed', ['root', 'netns', 'mountns', 'nft', 'ip'], () => {
  let namespace: Namespace;
  let standIn: StandIn;
  let template: Rules<Name>;
  let addresses: Record<Name, readonly Range[]>;
  beforeAll(async () => {
    standIn = await StandIn.create();
    template = await Rules.create(LISTS);
    addresses = { old: [], delta: [], full: [] };
    for (const name of ['old', 'delta', 'full'] as const) {
      const folder = template.project.path(`rules-${name}`);
      addresses[name] = joined(
        (await Promise.all(['nodes4', 'nets4', 'nodes6', 'nets6'].map((set) => plainList(folder, set)))).flat(),
      );
    }
  });
  beforeEach(async () => {
    namespace = await Namespace.create();
  });
  afterEach(() => namespace.remove());
  afterAll(async () => {
    await standIn.remove();
    await template.remove();
  });

  /** What is in both is in the kernel, and nothing that is in neither. */
  async function requireSound(to: Name, what: string): Promise<void> {
    const ranges = await seen(namespace);
    const both = joined([...LISTS.old, ...LISTS[to]]);
    expect(within(ranges, both), `${what}: nothing else is in the kernel`).toBe(true);
    const common = addresses.old.filter((range) => within([range], addresses[to]));
    expect(common.length, 'they have something in common').toBeGreaterThan(1);
    expect(within(common, ranges), `${what}: what both list stays listed`).toBe(true);
  }

  /** The next apply and its end. */
  async function requireRecovery(rules: Rules<Name>, to: Name, what: string): Promise<void> {
    await ageLock(rules.project.path('state'));
    // It reads back; status and a second apply have the same to tell each time.
    await rules.apply(namespace, to);
    expect(await seen(namespace), what).toEqual(addresses[to]);
    const sets = ['allow4', 'allow6', 'ban4', 'ban6', 'nets4', 'nets6', 'nodes4', 'nodes6', 'seen4', 'seen6', 'state'];
    expect((await liveSetNames(namespace)).map((name) => name.replace('_b', '')).sort(), what).toEqual(sets);
  }

  const KILL = 'kill -9 $PPID; exit 1';
  /** Where: before nft has run, or after it. */
  const at = (when: 'before' | 'after', n: number) =>
    when === 'before' ? `[ $n != ${n} ] || { ${KILL}; }` : `[ $n != ${n} ] || { $load "$@"; ${KILL}; }`;
  for (const [kind, to, before] of [
    ['delta', 'delta', ''],
    ['full', 'full', ''],
    ['staged', 'full', smallBuffer(8_000)],
  ] as const) {
    systemTest(
      `before and after every transaction of a load that is ${kind}`,
      [],
      async () => {
        const total = await transactionsOf(kind, to, before);
        expect(total).toBeGreaterThanOrEqual(2);
        const rules = template;
        for (let n = 1; n <= total; n++) {
          for (const when of ['before', 'after'] as const) {
            const what = `killed ${when} transaction ${n} of ${total}`;
            await startAgain(rules, kind);
            await rules.review(to);
            const ran = await standIn.run(namespace, `${before}\n${at(when, n)}`, rules.project.argv('apply'));
            expect(ran.status, `${what}: ${ran.stderr}`).toBe(137);
            await requireSound(to, what);
            await requireRecovery(rules, to, what);
          }
        }
      },
      200_000,
    );
  }

  async function startAgain(rules: Rules<Name>, kind: string): Promise<void> {
    await ageLock(rules.project.path('state'));
    await namespace.nft('table inet blocklist\ndelete table inet blocklist');
    await rules.apply(namespace, 'old', '--fast');
    // Without a digest everything is loaded, however little changed.
    const forget = 'delete set inet blocklist state\nadd set inet blocklist state { type mark; }';
    if (kind !== 'delta') await namespace.nft(forget);
  }

  async function transactionsOf(kind: string, to: Name, before: string): Promise<number> {
    await startAgain(template, kind);
    await template.review(to);
    const ran = await standIn.run(namespace, before, template.project.argv('apply', '--json'));
    expect([ran.status, ran.stderr]).toEqual([0, '']);
    expect(JSON.parse(ran.stdout).done).toBe(kind);
    return standIn.transactions();
  }
});
