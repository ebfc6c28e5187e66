import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { connect, Namespace } from './namespace.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const NEEDS = ['root', 'netns', 'nft', 'ip', 'ping'];

const ADDRESSES = [
  { host: '62.1.1.1/24', peers: ['62.1.1.7/24', '62.1.1.65/24', '62.1.1.66/24', '62.1.1.200/24'] },
  // Two of one /64, which is one host.
  { host: '2a02:1::1/48', peers: ['2a02:1:0:5::7/48', '2a02:1:0:5::8/48'] },
];

describeSystem('what was dropped, gathered from the kernel', NEEDS, () => {
  let host: Namespace;
  let peer: Namespace;
  let project: Project;
  beforeAll(async () => {
    [host, peer] = [await Namespace.create(), await Namespace.create()];
    await connect(host, peer);
    for (const { host: own, peers } of ADDRESSES) {
      await host.ip(`addr add ${own} dev wire nodad`);
      for (const address of peers) await peer.ip(`addr add ${address} dev wire nodad`);
    }
    // A listed host that asks for its neighbour is dropped, too, and counted as often as it asks.
    const mac = (await host.must(['cat', '/sys/class/net/wire/address'])).trim();
    await peer.ip(`neigh replace 2a02:1::1 lladdr ${mac} dev wire nud permanent`);
    project = await Project.create([
      { id: 'nodes', lines: ['62.1.1.7', '62.1.1.65'] },
      { id: 'nets', lines: ['62.1.1.64/26', '2a02:1:0:5::/64'] },
      { id: 'idle', lines: ['45.9.1.7'] },
    ]);
    await project.done(undefined, 'build');
    await project.done(host, 'apply');
  });
  afterAll(async () => {
    await host.remove();
    await peer.remove();
  });

  const pings = (from: string, count: number) =>
    peer.run([
      'ping',
      '-n',
      '-c',
      String(count),
      '-i',
      '0.002',
      '-W',
      '0.3',
      '-I',
      from,
      from.includes(':') ? '2a02:1::1' : '62.1.1.1',
    ]);
  const stats = async () => JSON.parse((await project.blocklist(host, 'stats', '--json')).stdout);

  systemTest('before anybody gathered it says what to do', NEEDS, async () => {
    const { status, stderr } = await project.blocklist(host, 'stats');
    expect([status, stderr.includes('stats --harvest')]).toEqual([4, true]);
  });

  systemTest('by source, country and host, in both families, and nothing twice', NEEDS, async () => {
    await pings('62.1.1.7', 3);
    await pings('62.1.1.65', 2);
    await pings('62.1.1.200', 4);
    await pings('2a02:1:0:5::7', 2);
    await pings('2a02:1:0:5::8', 1);
    await project.done(host, 'stats', '--harvest');
    const first = await stats();
    const hosts = first.hosts.map((each: { host: string; packets: number }) => `${each.host} ${each.packets}`).sort();
    expect(hosts).toEqual(['2a02:1:0:5::/64 3', '62.1.1.65 2', '62.1.1.7 3']);
    expect(first).toMatchObject({
      schema: 'blocklist/stats',
      total: { packets: 8, hosts: 3 },
      sources: [
        { id: 'nets', packets: 5, hosts: 2 },
        { id: 'nodes', packets: 5, hosts: 2 },
      ],
      idle: ['idle'],
    });
    await project.done(host, 'stats', '--harvest');
    expect((await stats()).total).toEqual(first.total);
    await pings('62.1.1.66', 1);
    // A load leaves what the kernel remembers.
    await host.must(['nft', '-f', project.path('rules', 'blocklist.nft')]);
    await pings('62.1.1.7', 1);
    await project.done(host, 'stats', '--harvest');
    expect((await stats()).total).toMatchObject({ packets: 10, hosts: 4 });
  });

  systemTest('why tells the hits of a host: those that were gathered, and what came since', NEEDS, async () => {
    const why = async (address: string) => (await project.done(host, 'why', address)).stdout;
    expect(await why('62.1.1.7')).toMatch(/^ {2}dropped: 4 packets on \d{4}-\d\d-\d\d$/m);
    await pings('62.1.1.7', 1);
    expect(await why('62.1.1.7')).toMatch(/^ {2}dropped: 5 packets on /m);
    expect(await why('2a02:1:0:5::99')).toMatch(/^ {2}dropped from its \/64: 3 packets on /m);
    expect(await why('62.1.1.70')).not.toContain('dropped');
    await project.done(host, 'stats', '--harvest');
    expect(await why('62.1.1.7')).toMatch(/^ {2}dropped: 5 packets on /m);
    const { answers } = JSON.parse((await project.done(host, 'why', '--json', '62.1.1.7', '62.1.1.70')).stdout);
    expect(answers.map(({ hits }: { hits: unknown }) => hits)).toEqual([
      { packets: 5, bytes: 5 * 84, days: 1, last: expect.stringMatching(/^\d{4}-/) },
      null,
    ]);
  });

  systemTest('a ban of this host, and a host that nobody lists any more, have their own rows', NEEDS, async () => {
    await project.done(host, 'ban', '62.1.1.200', '--reason', 'test');
    await pings('62.1.1.200', 2);
    await pings('62.1.1.7', 1);
    await project.done(host, 'stats', '--harvest');
    // The other one is listed, and nobody banned it.
    expect((await stats()).sources).toContainEqual(
      expect.objectContaining({ id: 'bans of this host', packets: 2, hosts: 1 }),
    );
    await writeFile(project.path('lists', 'nodes.txt'), '62.1.1.65\n');
    await project.done(undefined, 'build');
    await pings('62.1.1.7', 1);
    await project.done(host, 'stats', '--harvest');
    expect((await stats()).sources).toContainEqual(
      expect.objectContaining({ id: 'listed no more', packets: 1, hosts: 0 }),
    );
  });

  systemTest('for people: tables, sources without a hit, and when it was gathered', NEEDS, async () => {
    const { stdout, stderr, status } = await project.blocklist(host, 'stats', '--days', '3');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^day +packets +bytes +hosts\n\d{4}-\d\d-\d\d +15 /);
    expect(stdout).toMatch(/\nsource +packets +bytes +hosts\nn/);
    expect(stdout).toMatch(/\nhost +packets +bytes\n62\.1\.1\.7 +7 /);
    expect(stdout).toContain('\nwithout a hit: idle\n');
    expect(stderr).toContain('at least so much was dropped');
  });

  systemTest('unloaded: nothing to gather, and what was gathered stays', NEEDS, async () => {
    await project.done(host, 'unload', '--yes');
    await project.done(host, 'stats', '--harvest');
    expect((await stats()).total.packets).toBe(15);
  });
});
