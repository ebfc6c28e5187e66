import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { connect, Namespace } from './namespace.js';
import { must, until } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

/** Without it the kernel logs for its first network namespace alone. */
const EVERY_NAMESPACE = '/proc/sys/net/netfilter/nf_log_all_netns';

describeSystem('policy.log', ['root', 'netns', 'nft', 'ip', 'ping', 'dmesg', 'kernel-log'], () => {
  let host: Namespace;
  let peer: Namespace;
  let project: Project;
  let before: string;
  beforeAll(async () => {
    before = await readFile(EVERY_NAMESPACE, 'utf8');
    await writeFile(EVERY_NAMESPACE, '1');
    [host, peer] = [await Namespace.create(), await Namespace.create()];
    await connect(host, peer);
    await host.ip('addr add 203.0.112.1/24 dev wire', 'addr add 2a09:77::1/64 dev wire nodad');
    await peer.ip('addr add 203.0.112.2/24 dev wire', 'addr add 2a09:77::2/64 dev wire nodad');
    const mac = (await host.must(['cat', '/sys/class/net/wire/address'])).trim();
    for (const end of ['203.0.112.1', '2a09:77::1'])
      await peer.ip(`neigh replace ${end} lladdr ${mac} nud permanent dev wire`);
    project = await Project.create([{ id: 'mine', lines: ['203.0.112.2', '2a09:77::2'] }], { auto: [] });
    await writeFile(project.config, `${await readFile(project.config, 'utf8')}policy: {log: 3/minute}\n`);
    await project.done(undefined, 'build');
    await project.done(host, 'apply');
  });
  afterAll(async () => {
    await writeFile(EVERY_NAMESPACE, before);
    for (const each of [host, peer]) await each?.remove();
    await project?.remove();
  });

  const mark = (text: string) =>
    text.match(/^.*blocklist drop: .*SRC=(203\.0\.112\.2|2a09:0077:0000.*:0002) .*$/gm) ?? [];
  const lines = async () => mark(await must(['dmesg']));

  systemTest(
    'a drop is a line of the kernel log with a prefix to look for, and no more lines than allowed',
    [],
    async () => {
      const old = (await lines()).length;
      await peer.run(['ping', '-c', '1', '-W', '0.3', '203.0.112.1']);
      await peer.run(['ping', '-c', '1', '-W', '0.3', '2a09:77::1']);
      await until('both are in the log', async () => (await lines()).length >= old + 2);
      const [four, six] = (await lines()).slice(-2);
      expect(four).toMatch(/blocklist drop: IN=wire OUT= .*SRC=203\.0\.112\.2 DST=203\.0\.112\.1 .*PROTO=ICMP TYPE=8/);
      expect(six).toMatch(/blocklist drop: IN=wire OUT= .*DST=2a09:0077:[0:]*1 .*PROTO=ICMPv6 TYPE=128/);
      // nft(8): a burst of five beyond the rate, unless told otherwise.
      await peer.run(['ping', '-c', '40', '-i', '0.002', '-W', '0.3', '203.0.112.1']);
      const all = (await lines()).length - old;
      expect(all).toBeGreaterThanOrEqual(3);
      expect(all).toBeLessThanOrEqual(9);
      const { dropped } = JSON.parse((await project.done(host, 'status', '--json')).stdout);
      expect(dropped.packets).toBe(42);
    },
  );
});
