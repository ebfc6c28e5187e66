import { afterAll, beforeAll, expect } from 'vitest';
import { manyNets, manyNodes, Rules, type Told } from './apply-kinds.js';
import { liveSetNames } from './live-sets.js';
import { FREE, judge, LISTED, ONE_WAY, OTHER_WAY } from './moving-streams.js';
import { describeSystem, systemTest } from './requirements.js';
import { StandIn, smallBuffer } from './stand-in.js';
import { Stage } from './stream.js';

const LISTS = {
  one: [...ONE_WAY, ...manyNets(4_000), ...manyNodes(8_000)],
  other: [...OTHER_WAY, ...manyNets(4_000, 1), ...manyNodes(8_000, 1)],
};
/** Bytes of a script: more than one piece of a set has, less than all of it. */
const BUFFER = 150_000;

/** The objects of layout 1: no host-local sets, and a comment that says so. Its state set and rules are as 0.1.0 wrote them. */
function layoutOne(lines: readonly string[]): string {
  const set = (name: string, type: string, flags: string) => {
    const mine = lines.filter(
      (line) => line.includes(':') === name.endsWith('6') && line.includes('/') === name.startsWith('nets'),
    );
    return `set ${name} { type ${type}; ${flags} ${mine.length === 0 ? '' : `elements = { ${mine.join(', ')} };`} }`;
  };
  return `
    table inet blocklist
    delete table inet blocklist
    table inet blocklist {
      counter dropped { }
      ${set('nodes4', 'ipv4_addr', '')}
      ${set('nets4', 'ipv4_addr', 'flags interval;')}
      ${set('nodes6', 'ipv6_addr', '')}
      ${set('nets6', 'ipv6_addr', 'flags interval;')}
      set state { type mark; comment "blocklist layout 1 sha256:${'0'.repeat(64)}"; }
      chain listed {
        icmp type destination-unreachable icmp code frag-needed accept
        icmp type time-exceeded accept
        icmpv6 type { packet-too-big, time-exceeded } accept
        counter name "dropped" drop
      }
      chain early {
        type filter hook prerouting priority -310; policy accept;
        ip saddr @nodes4 jump listed
        ip saddr @nets4 jump listed
        ip6 saddr @nodes6 jump listed
        ip6 saddr @nets6 jump listed
      }
    }`;
}

const NEEDS = ['root', 'netns', 'mountns', 'nft', 'ip', 'gcc'];

describeSystem('streams from addresses that stay and that move, while the kernel is rebuilt', NEEDS, () => {
  let stage: Stage;
  let rules: Rules<keyof typeof LISTS>;
  let standIn: StandIn;
  beforeAll(async () => {
    stage = await Stage.create([...LISTED, ...FREE]);
    rules = await Rules.create(LISTS);
    standIn = await StandIn.create();
  });
  afterAll(async () => {
    await stage?.remove();
    await rules?.remove();
    await standIn?.remove();
  });

  const listedSets = async () => (await liveSetNames(stage.host)).filter((name) => /^n/.test(name)).sort();
  const FIRST = ['nets4', 'nets6', 'nodes4', 'nodes6'];

  systemTest(
    '12 loads that are staged',
    [],
    async () => {
      await rules.apply(stage.host, 'other');
      const done = new Set<string>();
      const measured = await stage.during(async () => {
        for (let i = 0; i < 12; i++) {
          await rules.review(i % 2 === 0 ? 'one' : 'other');
          const argv = rules.project.argv('apply', '--json', ...(i % 4 === 0 ? [] : ['--fast']));
          const { status, stdout, stderr } = await standIn.run(stage.host, smallBuffer(BUFFER), argv);
          expect([status, stderr], `apply ${i + 1}`).toEqual([0, '']);
          const told: Told = JSON.parse(stdout);
          done.add(told.done);
        }
      });
      judge('12 × staged', measured);
      expect([...done]).toEqual(['staged']);
      expect(await listedSets()).toEqual(FIRST);
      expect(await rules.verdict(stage.host)).toBe('0 in-sync');
    },
    400_000,
  );

  systemTest(
    'what was staged is replaced by plain nft -f, and the next apply clears up',
    [],
    async () => {
      await rules.review('one');
      const argv = rules.project.argv('apply', '--fast');
      expect((await standIn.run(stage.host, smallBuffer(BUFFER), argv)).status).toBe(0);
      expect(await listedSets()).toEqual(FIRST.map((name) => `${name}_b`));
      await rules.review('other');
      // Its sets are fresh ones then: their nets are open for some milliseconds, as the README says. Not so the apply behind it.
      await stage.host.must(['nft', '-f', rules.project.path('rules', 'blocklist.nft')]);
      expect(await rules.verdict(stage.host)).toBe('1 differs');
      const measured = await stage.during(async () => {
        await rules.apply(stage.host, 'other');
      });
      judge('an apply behind plain nft -f over staged sets', measured);
      expect(await listedSets()).toEqual(FIRST);
      expect(await rules.verdict(stage.host)).toBe('0 in-sync');
    },
    200_000,
  );

  systemTest(
    'a table of layout 1 becomes one of layout 3',
    [],
    async () => {
      for (let round = 1; round <= 3; round++) {
        await stage.host.nft(layoutOne(LISTS.one));
        const measured = await stage.during(async () => {
          const { done, why } = await rules.apply(stage.host, 'other');
          expect([done, why]).toEqual(['full', expect.stringContaining('not by this version')]);
        });
        judge('an upgrade from layout 1', measured);
      }
      expect(await rules.verdict(stage.host)).toBe('0 in-sync');
    },
    200_000,
  );
});
