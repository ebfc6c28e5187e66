import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { connect, Namespace } from './namespace.js';
import { type Background, until } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const NEEDS = ['root', 'netns', 'nft', 'ip', 'ping', 'ss'];

/** Echoes what it is sent, on port 7 of all addresses. */
const ECHO_SERVER = `
  const server = require('node:net').createServer((socket) => socket.pipe(socket).on('error', () => undefined));
  server.listen(7, '::');`;

/** Connects from an address, sends a byte every 20 ms, and prints a dot for each that comes back. */
function echoClient(from: string, to: string): string {
  return `
    const socket = require('node:net').connect({ host: '${to}', port: 7, localAddress: '${from}' });
    setInterval(() => socket.write('.'), 20).unref();
    socket.on('data', (data) => process.stdout.write(data.toString()));
    socket.on('error', (error) => process.stdout.write(error.code));`;
}

const PEERS = [
  { version: 'IPv4', host: '62.1.1.1', node: '62.1.1.7', net: '62.1.1.65', free: '62.1.1.200', length: '24' },
  {
    version: 'IPv6',
    host: '2a02:1::1',
    node: '2a02:1::7',
    net: '2a02:1::1:5',
    free: '2a02:1::200',
    length: '64 nodad',
  },
] as const;

describeSystem('packets across a cable', NEEDS, () => {
  let host: Namespace;
  let peer: Namespace;
  let project: Project;
  let started: Background[];
  beforeAll(async () => {
    [host, peer] = [await Namespace.create(), await Namespace.create()];
    await connect(host, peer);
    for (const { host: own, node, net, free, length } of PEERS) {
      await host.ip(`addr add ${own}/${length} dev wire`);
      for (const address of [node, net, free]) await peer.ip(`addr add ${address}/${length} dev wire`);
    }
    const lines = ['62.1.1.7', '62.1.1.64/26', '2a02:1::7', '2a02:1::1:0/112'];
    project = await Project.create([{ id: 'mine', lines }]);
    await project.done(undefined, 'build');
  });
  beforeEach(async () => {
    started = [];
    await host.nft('table inet blocklist\ndelete table inet blocklist');
  });
  afterEach(async () => {
    for (const each of started) await each.stop();
  });
  afterAll(async () => {
    await host.remove();
    await peer.remove();
    await project.remove();
  });

  function run(namespace: Namespace, argv: readonly string[]): Background {
    const background = namespace.start(argv);
    started.push(background);
    return background;
  }

  async function pings(from: string, to: string): Promise<boolean> {
    return (await peer.run(['ping', '-n', '-c', '2', '-i', '0.2', '-W', '1', '-I', from, to])).status === 0;
  }

  for (const { version, host: to, node, net, free } of PEERS) {
    systemTest(`${version}: a listed address gets no answer, an unlisted one does; unload ends it`, [], async () => {
      for (const from of [node, net, free]) expect(await pings(from, to), `${from} before`).toBe(true);
      await project.done(host, 'apply');
      expect(await pings(node, to), node).toBe(false);
      expect(await pings(net, to), net).toBe(false);
      expect(await pings(free, to), free).toBe(true);
      await project.done(host, 'unload', '--yes');
      for (const from of [node, net, free]) expect(await pings(from, to), `${from} after`).toBe(true);
    });

    /** Starts connections and pings from all three, loads, and sees that the listed ones end and the other one goes on. */
    async function stopped(load: () => Promise<unknown>): Promise<readonly Background[]> {
      run(host, [process.execPath, '-e', ECHO_SERVER]);
      await until('the server listens', async () => (await host.must(['ss', '-ltn'])).includes(':7 '));
      const tcp = [node, net, free].map((from) => run(peer, [process.execPath, '-e', echoClient(from, to)]));
      const ping = [node, net, free].map((from) => run(peer, ['ping', '-n', '-i', '0.2', '-I', from, to]));
      const echoes = () => tcp.map((each) => each.output().match(/\./g)?.length ?? 0);
      const replies = () =>
        ping.map(
          (each) =>
            each
              .output()
              .split('\n')
              .filter((line) => line.includes('time=')).length,
        );
      const answers = () => [...echoes(), ...replies()];
      await until('all are answered', () => answers().every((count) => count > 2));

      await load();
      const [atLoad = 0] = echoes().slice(-1);
      await until('the unlisted one goes on', () => (echoes()[2] ?? 0) > atLoad + 5);
      const [node0, net0, free0 = 0, nodePing0, netPing0, freePing0 = 0] = answers();
      await until('it goes on for long', () => (echoes()[2] ?? 0) > free0 + 40 && (replies()[2] ?? 0) > freePing0 + 4);
      const [node1, net1, , nodePing1, netPing1] = answers();
      expect([node1, net1, nodePing1, netPing1]).toEqual([node0, net0, nodePing0, netPing0]);
      return tcp;
    }

    systemTest(`${version}: what ran before the rules stops: TCP connections and pings`, [], async () => {
      const tcp = await stopped(() => host.must(['nft', '-f', project.path('rules', 'blocklist.nft')]));
      // A drop alone lets both ends wait.
      expect(tcp.map((each) => /[A-Z]+/.exec(each.output())?.[0])).toEqual([undefined, undefined, undefined]);
      expect(await connected()).toEqual([node, net, free].sort());
    });

    systemTest(
      `${version}: an apply ends the connections that the rules would starve, and names them`,
      [],
      async () => {
        let told = '';
        const tcp = await stopped(async () => {
          told = (await project.done(host, 'apply')).stderr;
        });
        expect(tcp.map((each) => /[A-Z]+/.exec(each.output())?.[0])).toEqual(['ECONNRESET', 'ECONNRESET', undefined]);
        expect(await connected()).toEqual([free]);
        const ended = [...told.matchAll(/^ended: tcp (\S+) with (\S+), node \(\d+\), listed by mine$/gm)];
        expect(ended).toHaveLength(2);
        for (const from of [node, net])
          expect(told, from).toMatch(new RegExp(`^ended: tcp \\[(::ffff:)?${from}\\]:\\d+ `, 'm'));
      },
    );

    /** Who has a connection to the server. */
    async function connected(): Promise<string[]> {
      const lines = (await host.must(['ss', '-Htn', 'state', 'established', 'sport', '=', ':7'])).trim().split('\n');
      const peers = lines.map((line) => line.trim().split(/\s+/).at(-1) ?? '');
      return peers.map((peer) => peer.replace(/:\d+$/, '').replace(/^\[(?:::ffff:)?|\]$/g, '')).sort();
    }
  }
});

describeSystem('messages of listed routers', NEEDS, () => {
  const ROUTERS = [
    {
      ...{ version: 'IPv4', own: '62.1.1.1', router: '62.1.1.7', length: '24' },
      ...{ far: '88.1.1.5', farNet: '88.1.1.0/24', closed: '99.1.1.5', closedNet: '99.1.1.0/24' },
      ...{
        tooBig: /From 62\.1\.1\.7 .*Frag needed and DF set \(mtu = 1280\)/,
        tooFar: /From 62\.1\.1\.7 .*Time to live/,
      },
    },
    {
      ...{ version: 'IPv6', own: '2a02:1::1', router: '2a02:1::7', length: '64 nodad' },
      ...{ far: '2a0c:1::5', farNet: '2a0c:1::/64', closed: '2a0c:2::5', closedNet: '2a0c:2::/64' },
      ...{ tooBig: /From 2a02:1::7 .*Packet too big: mtu=1280/, tooFar: /From 2a02:1::7 .*Time exceeded: Hop limit/ },
    },
  ] as const;
  let host: Namespace;
  let router: Namespace;
  let project: Project;
  beforeAll(async () => {
    [host, router] = [await Namespace.create(), await Namespace.create()];
    await connect(host, router);
    await router.must([
      'sh',
      '-c',
      'for f in ipv4/ip_forward ipv6/conf/all/forwarding; do echo 1 > /proc/sys/net/$f; done',
    ]);
    // The way on is a narrow one, and nobody is at its end.
    await router.ip('link add narrow mtu 1280 type veth peer name far', 'link set narrow up', 'link set far up');
    const mac = async (namespace: Namespace) => (await namespace.must(['cat', '/sys/class/net/wire/address'])).trim();
    const [hostMac, routerMac] = [await mac(host), await mac(router)];
    for (const { own, router: address, length, far, farNet, closedNet } of ROUTERS) {
      await host.ip(
        `addr add ${own}/${length} dev wire`,
        `neigh replace ${address} lladdr ${routerMac} nud permanent dev wire`,
        `route add ${farNet} via ${address}`,
        `route add ${closedNet} via ${address}`,
      );
      await router.ip(
        `addr add ${address}/${length} dev wire`,
        `neigh replace ${own} lladdr ${hostMac} nud permanent dev wire`,
        `route add ${farNet} dev narrow`,
        `neigh replace ${far} lladdr 02:00:00:00:00:99 nud permanent dev narrow`,
        `route add prohibit ${closedNet}`,
      );
    }
    project = await Project.create([{ id: 'mine', lines: ROUTERS.map((each) => each.router) }]);
    await project.done(undefined, 'build');
  });
  afterAll(async () => {
    await host.remove();
    await router.remove();
    await project.remove();
  });

  async function said(...options: readonly string[]): Promise<string> {
    const { stdout, stderr } = await host.run(['ping', '-n', '-c', '1', '-W', '1', ...options]);
    return stdout + stderr;
  }

  systemTest('too big and too far still arrive, all others do not', [], async () => {
    for (const { router: address, closed } of ROUTERS) {
      expect(await said(address)).toContain('1 received');
      expect(await said(closed), 'prohibited').toMatch(new RegExp(`From ${address} .*prohibited|filtered`, 'i'));
    }
    await project.done(host, 'apply');
    for (const { router: address, far, closed, tooBig, tooFar } of ROUTERS) {
      expect(await said('-M', 'do', '-s', '1400', far)).toMatch(tooBig);
      expect(await said('-t', '1', far)).toMatch(tooFar);
      expect(await said(address)).toContain('0 received');
      expect(await said(closed)).not.toContain('From');
    }
  });
});
