import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { manyNets, manyNodes } from './apply-kinds.js';
import { connect, Namespace } from './namespace.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';
import { StandIn, smallBuffer } from './stand-in.js';

const LISTED = ['62.1.1.7', '62.1.1.8', '62.1.1.9'];
/** Bytes of a script: more than one piece of a set has, less than all of it. */
const BUFFER = 150_000;
const LISTED6 = '2a02:1::7';

describeSystem('what the rules count', ['root', 'netns', 'mountns', 'nft', 'ip', 'ping'], () => {
  let host: Namespace;
  let peer: Namespace;
  let project: Project;
  let standIn: StandIn;
  beforeAll(async () => {
    [host, peer] = [await Namespace.create(), await Namespace.create()];
    await connect(host, peer);
    await host.ip('addr add 62.1.1.1/24 dev wire', 'addr add 2a02:1::1/64 dev wire nodad');
    for (const address of LISTED) await peer.ip(`addr add ${address}/24 dev wire`);
    await peer.ip(`addr add ${LISTED6}/64 dev wire nodad`);
    const mac = (await host.must(['cat', '/sys/class/net/wire/address'])).trim();
    await peer.ip(`neigh replace 2a02:1::1 lladdr ${mac} nud permanent dev wire`);
    project = await Project.create([], { auto: [] });
    standIn = await StandIn.create();
  });
  afterAll(async () => {
    await host?.remove();
    await peer?.remove();
    await project?.remove();
    await standIn?.remove();
  });

  async function ping(from: string): Promise<string> {
    const to = from.includes(':') ? '2a02:1::1' : '62.1.1.1';
    return (await peer.run(['ping', '-n', '-c', '1', '-W', '1', '-I', from, to])).stdout;
  }

  /** Packets of the counter, and what each set holds with its own count. */
  async function counted(): Promise<string[]> {
    const text = await host.must(['nft', 'list', 'table', 'inet', 'blocklist']);
    const dropped = /counter dropped \{\s*packets (\d+)/.exec(text)?.[1] ?? '';
    const seen = [...text.matchAll(/([\da-f.:]+) counter packets (\d+) bytes \d+ expires/g)];
    return [`dropped ${dropped}`, ...seen.map(([, address, packets]) => `${address} ${packets}`).sort()];
  }

  async function build(lines: readonly string[], policy = ''): Promise<void> {
    const sources = [
      { id: 'mine', lines: [...LISTED, LISTED6] },
      // A list that grows is another one: guards would keep the last good.
      { id: `more-${lines.length}`, lines },
    ].filter((source) => source.lines.length > 0);
    await project.configure(sources, { auto: [] });
    if (policy !== '') {
      const config = await readFile(project.config, 'utf8');
      await project.write('blocklist.yaml', `${config}policy: ${policy}\n`);
    }
    await project.done(undefined, 'build');
  }

  systemTest(
    'stays as it is with every kind of load, and IPv6 hosts are one by /64',
    [],
    async () => {
      await build([]);
      await project.done(host, 'apply');
      for (const from of [LISTED[0]!, LISTED[0]!, LISTED6]) expect(await ping(from)).toContain('0 received');
      const all = ['dropped 3', '2a02:1:: 1', '62.1.1.7 2'];
      expect(await counted()).toEqual(all);
      const told = async (...more: string[]) =>
        JSON.parse((await project.done(host, 'apply', '--json', ...more)).stdout).done;
      const rebuilt = async (lines: readonly string[], policy?: string) => {
        await build(lines, policy);
        return told();
      };
      const loads: ReadonlyArray<readonly [what: string, load: () => Promise<unknown>, done: unknown]> = [
        ['nothing', () => told(), 'nothing'],
        ['one transaction', () => rebuilt(['9.0.0.7', '9.0.2.0/24']), 'delta'],
        ['two transactions', () => rebuilt(['9.0.0.0/24', '9.0.2.0/24']), 'delta'],
        ['another policy', () => rebuilt([], '{drop: new, ports: [22], log: true}'), 'full'],
        ['outbound, too', () => rebuilt([], '{also-outbound: true}'), 'full'],
        ['the default again', () => rebuilt([]), 'full'],
        [
          'a repair',
          async () => {
            await host.nft('flush chain inet blocklist early');
            return told('--repair');
          },
          'full',
        ],
        ['plain nft -f', () => host.must(['nft', '-f', project.path('rules', 'blocklist.nft')]), ''],
        [
          'staged',
          async () => {
            await build([...manyNets(4_000), ...manyNodes(8_000)]);
            await host.nft('flush chain inet blocklist early');
            const argv = project.argv('apply', '--json');
            return JSON.parse((await standIn.run(host, smallBuffer(BUFFER), argv)).stdout).done;
          },
          'staged',
        ],
      ];
      for (const [what, load, done] of loads) {
        expect([what, await load(), await counted()]).toEqual([what, done, all]);
      }
      expect((await project.blocklist(host, 'status')).status).toBe(0);
    },
    300_000,
  );

  systemTest(
    'a set that is full ends no drop: the third of three hosts is dropped, unrecorded',
    [],
    async () => {
      await build([]);
      const script = await readFile(project.path('rules', 'blocklist.nft'), 'utf8');
      const small = script.replace(/(set inet blocklist seen4 .*) size 65535;/, '$1 size 2;');
      expect(small).not.toBe(script);
      await host.nft(`table inet blocklist\ndelete table inet blocklist\n${small}`);
      for (const from of LISTED) expect(await ping(from), from).toContain('0 received');
      expect(await counted()).toEqual(['dropped 3', '62.1.1.7 1', '62.1.1.8 1']);
    },
    240_000,
  );
});
