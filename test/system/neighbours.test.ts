import { afterAll, beforeAll, expect } from 'vitest';
import { connect, Namespace } from './namespace.js';
import { type Background, until } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

/** As Docker makes it for `-p 8080:80`, by iptables-nft. */
const DOCKER = [
  '-t nat -N DOCKER',
  '-t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER',
  '-t nat -A POSTROUTING -s 172.18.0.0/24 -o wire -j MASQUERADE',
  '-t nat -A DOCKER -i wire -p tcp --dport 8080 -j DNAT --to-destination 172.18.0.2:80',
  '-N DOCKER-USER',
  '-A DOCKER-USER -j RETURN',
  '-P FORWARD DROP',
  '-A FORWARD -j DOCKER-USER',
  '-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  '-A FORWARD -o inner -p tcp -d 172.18.0.2 --dport 80 -j ACCEPT',
  '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT',
];

const SOURCES = [{ id: 'mine', lines: ['203.0.112.2', '91.200.0.0/22', '2a02:4780::/32'] }];
const NEEDS = ['root', 'netns', 'nft', 'ip', 'iptables-nft', 'sysctl'];

describeSystem('beside other firewalls', NEEDS, () => {
  let host: Namespace;
  let client: Namespace;
  let guest: Namespace;
  let web: Background;
  let project: Project;
  beforeAll(async () => {
    [host, client, guest] = [await Namespace.create(), await Namespace.create(), await Namespace.create()];
    await connect(host, client);
    await host.ip('addr add 203.0.112.1/24 dev wire', `link add inner type veth peer name eth0 netns ${guest.name}`);
    await host.ip('addr add 172.18.0.1/24 dev inner', 'link set inner up');
    await guest.ip('addr add 172.18.0.2/24 dev eth0', 'link set eth0 up', 'route add default via 172.18.0.1');
    await client.ip('addr add 203.0.112.2/24 dev wire', 'addr add 203.0.112.3/24 dev wire');
    await host.must(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
    const code = `require('node:net').createServer((s) => s.end('guest')).listen(80, () => console.log('ready'))`;
    web = guest.start([process.execPath, '-e', code]);
    await until('the guest listens', () => web.output().includes('ready'));
    project = await Project.create(SOURCES);
    await project.done(undefined, 'build');
  });
  afterAll(async () => {
    for (const each of [host, client, guest]) await each.remove();
    await project.remove();
  });

  /** Everything in the kernel that is not ours, without counts. */
  async function theirs(): Promise<string> {
    const text = await host.ruleset();
    const tables = text.split(/^(?=table )/m).filter((table) => !table.startsWith('table inet blocklist '));
    return tables.join('').replace(/counter packets \d+ bytes \d+/g, 'counter');
  }

  /** What the published port answers to this address. */
  async function answer(from: string): Promise<string> {
    const code = `const s = require('node:net').connect({ host: '203.0.112.1', port: 8080, localAddress: '${from}' });
      s.setTimeout(1200, () => { console.log('nothing'); s.destroy(); });
      s.on('data', (data) => console.log(String(data))); s.on('error', ({ code }) => console.log(code));`;
    return (await client.must([process.execPath, '-e', code])).trim();
  }

  systemTest(
    'Docker’s rules by iptables-nft: neither changes the other, and the published port is closed to the listed',
    [],
    async () => {
      for (const line of DOCKER) await host.must(['iptables-nft', ...line.split(' ')]);
      await host.nft(
        'table inet filter { chain input { type filter hook input priority 0; policy accept; tcp dport 9 drop; }; }',
      );
      expect([await answer('203.0.112.2'), await answer('203.0.112.3')]).toEqual(['guest', 'guest']);
      const before = await theirs();
      const commands: ReadonlyArray<readonly [command: readonly string[], listed: string]> = [
        [['apply', '--dry-run'], 'guest'],
        [['apply'], 'nothing'],
        [['status'], 'nothing'],
        [['allow', '203.0.112.2'], 'guest'],
        [['allow', '--remove', '203.0.112.2'], 'nothing'],
        [['ban', '203.0.112.9', '--for', '1h'], 'nothing'],
        [['apply', '--repair'], 'nothing'],
        [['unload', '--yes'], 'guest'],
        [['apply', '--confirm', '60s'], 'nothing'],
        [['rollback'], 'guest'],
        [['apply'], 'nothing'],
      ];
      for (const [command, listed] of commands) {
        const ran = await project.blocklist(host, ...command);
        expect(ran, command.join(' ')).toMatchObject({ status: 0 });
        expect(await theirs(), command.join(' ')).toBe(before);
        expect([await answer('203.0.112.2'), await answer('203.0.112.3')], command.join(' ')).toEqual([
          listed,
          'guest',
        ]);
      }
      // And theirs leave ours alone.
      await host.must(['iptables-nft', '-A', 'INPUT', '-p', 'tcp', '--dport', '99', '-j', 'DROP']);
      for (const line of ['-F', '-X', '-t nat -F', '-P FORWARD ACCEPT'])
        await host.must(['iptables-nft', ...line.split(' ')]);
      await project.done(host, 'status');
    },
    240_000,
  );

  systemTest(
    'Debian’s /etc/nftables.conf flushes everything: status tells, --repair mends',
    ['/etc/nftables.conf'],
    async () => {
      await project.done(host, 'apply');
      await project.done(host, 'ban', '203.0.112.9', '--for', '1h');
      await host.must(['nft', '-f', '/etc/nftables.conf']);
      const { status, stderr } = await project.blocklist(host, 'status');
      expect([status, stderr]).toEqual([1, expect.stringContaining('the table is gone')]);
      expect(stderr).toContain('apply --repair');
      const before = await theirs();
      await project.done(host, 'apply', '--repair');
      await project.done(host, 'status');
      expect(await theirs()).toBe(before);
      expect(await host.must(['nft', 'list', 'set', 'inet', 'blocklist', 'ban4'])).toContain('203.0.112.9');
    },
  );
});
