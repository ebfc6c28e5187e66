import { readdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { LOCAL_SETS, liveSet, liveSetNames, merged, plainList, SEEN_SETS, SETS } from './live-sets.js';
import { connect, Namespace } from './namespace.js';
import { must } from './processes.js';
import { Project, type TestSource } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const OUT_SETS = SETS.map((set) => `out_${set}`);
const PEER4 = { out: '62.1.1.7', both: '62.1.1.20', in: '62.1.1.30', free: '62.1.1.40' };
const PEER6 = { out: '2a02:1::7', both: '2a02:1::20', in: '2a02:1::30', free: '2a02:1::40' };

const INWARD: TestSource = { id: 'inward', lines: [PEER4.in, PEER6.in] };
/** Plain nft fills no host-local set. */
const NOTHING_LOCAL = { auto: [] };
const OUTWARD: readonly TestSource[] = [
  INWARD,
  { id: 'outward', direction: 'out', lines: [PEER4.out, PEER6.out, '91.200.1.0/24'] },
  { id: 'both-ways', direction: 'both', lines: ['62.1.1.20/31', '2a02:1::20/127'] },
];

describeSystem('sources with direction out and both', ['root', 'netns', 'nft', 'ip', 'ping'], () => {
  let host: Namespace;
  let peer: Namespace;
  let project: Project;
  let template: Project;
  beforeAll(async () => {
    template = await Project.create(OUTWARD, NOTHING_LOCAL);
    await template.done(undefined, 'build');
    [host, peer] = [await Namespace.create(), await Namespace.create()];
    await connect(host, peer);
    await host.ip('addr add 62.1.1.1/24 dev wire', 'addr add 2a02:1::1/64 dev wire nodad');
    for (const address of Object.values(PEER4)) await peer.ip(`addr add ${address}/24 dev wire`);
    for (const address of Object.values(PEER6)) await peer.ip(`addr add ${address}/64 dev wire nodad`);
    // Who answers a neighbour solicitation must not be listed for it: the way to the peer is known beforehand.
    const mac = (await peer.must(['cat', '/sys/class/net/wire/address'])).trim();
    for (const address of [...Object.values(PEER4), ...Object.values(PEER6)]) {
      await host.ip(`neigh replace ${address} lladdr ${mac} nud permanent dev wire`);
    }
  });
  beforeEach(async () => {
    await host.nft('table inet blocklist\ndelete table inet blocklist');
    project = await Project.copyOf(template);
  });
  afterEach(() => project.remove());
  afterAll(async () => {
    await host.remove();
    await peer.remove();
    await template.remove();
  });

  const CHAINS = ['dropping', 'early', 'inbound', 'listed'];

  /** Statistics of nft: packets that our rules dropped on their way out. */
  async function dropped(): Promise<number> {
    const text = await host.must(['nft', 'list', 'counter', 'inet', 'blocklist', 'dropped_out']);
    return Number(/packets (\d+)/.exec(text)?.[1]);
  }

  async function chains(): Promise<string[]> {
    const text = await host.must(['nft', 'list', 'table', 'inet', 'blocklist']);
    return [...text.matchAll(/^\tchain (\w+) /gm)].map(([, name = '']) => name);
  }

  async function pings(address: string): Promise<boolean> {
    return (await host.run(['ping', '-n', '-c', '1', '-W', '1', address])).status === 0;
  }

  systemTest('fill sets of their own, which the lists show', [], async () => {
    await project.done(host, 'apply');
    expect(await liveSetNames(host)).toEqual([...SEEN_SETS, ...LOCAL_SETS, ...SETS, ...OUT_SETS, 'state']);
    const expected: Readonly<Record<string, readonly string[]>> = {
      nodes4: ['62.1.1.30'],
      nets4: ['62.1.1.20/31'],
      nodes6: ['2a02:1::30'],
      nets6: ['2a02:1::20/127'],
      out_nodes4: ['62.1.1.7'],
      out_nets4: ['62.1.1.20/31', '91.200.1.0/24'],
      out_nodes6: ['2a02:1::7'],
      out_nets6: ['2a02:1::20/127'],
    };
    for (const [set, lines] of Object.entries(expected)) {
      expect(await plainList(project.rules, set), `${set}.txt`).toEqual(lines);
      expect(merged(await liveSet(host, set)), set).toEqual(merged(lines));
    }
    expect((await project.blocklist(host, 'status')).status).toBe(0);
  });

  systemTest('stop what this host sends to them, and nothing else', [], async () => {
    for (const { out, both, in: inward, free } of [PEER4, PEER6]) {
      for (const address of [out, both, inward, free]) expect(await pings(address), address).toBe(true);
    }
    await project.done(host, 'apply');
    for (const { out, both, in: inward, free } of [PEER4, PEER6]) {
      for (const address of [out, both]) {
        const before = await dropped();
        expect(await pings(address), address).toBe(false);
        expect(await dropped(), `${address} is dropped on its way out`).toBe(before + 1);
      }
      // Its request leaves, the answer is dropped.
      expect(await pings(inward), inward).toBe(false);
      expect(await pings(free), free).toBe(true);
    }
  });

  systemTest('stop what a guest of this host sends through it, too', [], async () => {
    const guest = await Namespace.create();
    try {
      await must([
        'ip',
        '-n',
        host.name,
        'link',
        'add',
        'guests',
        'type',
        'veth',
        'peer',
        'name',
        'wire',
        'netns',
        guest.name,
      ]);
      await host.ip('link set guests up', 'addr add 77.1.1.1/24 dev guests');
      await guest.ip('link set wire up', 'addr add 77.1.1.2/24 dev wire', 'route add default via 77.1.1.1');
      await host.must(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
      await peer.ip('route replace 77.1.1.0/24 via 62.1.1.1');
      const reaches = async (address: string) =>
        (await guest.run(['ping', '-n', '-c', '1', '-W', '1', address])).status === 0;
      expect([await reaches(PEER4.out), await reaches(PEER4.free)]).toEqual([true, true]);
      await project.done(host, 'apply');
      expect([await reaches(PEER4.out), await reaches(PEER4.free)]).toEqual([false, true]);
    } finally {
      await guest.remove();
    }
  });

  const loaders: ReadonlyArray<readonly [string, () => Promise<unknown>]> = [
    ['apply', () => project.done(host, 'apply')],
    ['plain nft -f', () => host.must(['nft', '-f', project.path('rules', 'blocklist.nft')])],
  ];
  for (const [name, load] of loaders) {
    systemTest(`are gone from files and kernel after a build without them: ${name}`, [], async () => {
      await load();
      expect(await liveSetNames(host)).toContain('out_nets4');
      expect((await chains()).sort()).toEqual([...CHAINS, 'forwarded', 'listed_out', 'outbound', 'outward'].sort());
      expect((await project.blocklist(host, 'status')).status).toBe(0);

      await project.configure([INWARD], NOTHING_LOCAL);
      await project.done(undefined, 'build');
      const lists = (await readdir(project.rules)).sort();
      expect(lists).toEqual(['blocklist.nft', 'manifest.json', 'nets4.txt', 'nets6.txt', 'nodes4.txt', 'nodes6.txt']);
      expect((await project.blocklist(host, 'status')).status).toBe(1);
      await load();
      expect((await liveSetNames(host)).sort()).toEqual([...SEEN_SETS, ...LOCAL_SETS, ...SETS, 'state'].sort());
      expect((await chains()).sort()).toEqual(CHAINS);
      expect((await project.blocklist(host, 'status')).status).toBe(0);
      expect(await pings(PEER4.out)).toBe(true);
      expect(await pings(PEER4.in)).toBe(false);
    });
  }
});
