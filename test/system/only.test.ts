import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { connect, Namespace } from './namespace.js';
import { until } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';
import { SshServer } from './ssh-server.js';

/** By the bundled database: de, jp and cn. */
const HOST = { v4: '88.198.1.1', v6: '2a01:4f8:1::1' };
const FRIEND = { v4: '88.198.1.2', v6: '2a01:4f8:1::2' };
const STRANGER = { v4: '110.1.1.2', v6: '240e:1::2' };

const NEEDS = ['root', 'netns', 'mountns', 'nft', 'ip', 'ss', 'ping', 'sshd', 'ssh'];
describeSystem('countries.only', NEEDS, () => {
  let host: Namespace;
  let peer: Namespace;
  let server: SshServer;
  let project: Project;
  beforeAll(async () => {
    [host, peer] = [await Namespace.create(), await Namespace.create()];
    await connect(host, peer);
    await host.ip('addr add 88.198.1.1/24 dev wire', 'addr add 2a01:4f8:1::1/64 dev wire nodad');
    await host.ip('route add 110.1.1.0/24 dev wire', 'route add 240e:1::/64 dev wire');
    for (const { v4, v6 } of [FRIEND, STRANGER]) {
      await peer.ip(`addr add ${v4}/24 dev wire`, `addr add ${v6}/64 dev wire nodad`);
    }
    // Whoever asks for a neighbour takes any of its addresses.
    await peer.ip('route add 88.198.1.1 dev wire', 'route add 2a01:4f8:1::1 dev wire');
    server = await SshServer.start(host, 2222);
    for (const namespace of [host, peer]) {
      const listens =
        "const s = () => require('node:net').createServer((c) => c.end('here')); s().listen(80, '::'); s().listen(443, '::', () => console.log('up'))";
      const started = namespace.start([process.execPath, '-e', listens]);
      await until('the servers listen', () => started.output().includes('up'));
    }
  });
  afterAll(async () => {
    await host.remove();
    await peer.remove();
    await server.remove();
  });
  beforeEach(async () => {
    project = await Project.create([]);
  });
  afterEach(async () => {
    await host.nft('flush ruleset');
    await project.remove();
  });

  async function only(countries: string): Promise<void> {
    await project.write(
      'blocklist.yaml',
      `sources: {countries: {${countries}}}\npaths: {cache: cache, state: state}\n`,
    );
    await project.done(undefined, 'build');
  }

  /** Whether a server at `to` says something to `from`. */
  async function reaches(client: Namespace, from: string, to: string, port: number): Promise<boolean> {
    const connecting = `const c = require('node:net').connect({ host: '${to}', port: ${port}, localAddress: '${from}' });
      c.on('data', () => process.exit(0)); c.on('error', () => process.exit(1)); setTimeout(() => process.exit(1), 700)`;
    return (await client.run([process.execPath, '-e', connecting])).status === 0;
  }

  async function pings(client: Namespace, from: string, to: string): Promise<boolean> {
    return (await client.run(['ping', '-n', '-c', '1', '-W', '1', '-I', from, to])).status === 0;
  }

  const FAMILIES = ['v4', 'v6'] as const;

  systemTest('who is elsewhere may not connect; answers to what this host asks arrive', [], async () => {
    for (const family of FAMILIES) expect(await reaches(peer, STRANGER[family], HOST[family], 80), family).toBe(true);
    await only('only: [de]');
    await project.done(host, 'apply');
    for (const family of FAMILIES) {
      for (const port of [80, 443]) {
        expect(await reaches(peer, FRIEND[family], HOST[family], port), `friend ${family} ${port}`).toBe(true);
        expect(await reaches(peer, STRANGER[family], HOST[family], port), `stranger ${family} ${port}`).toBe(false);
      }
      expect(await pings(peer, FRIEND[family], HOST[family])).toBe(true);
      expect(await pings(peer, STRANGER[family], HOST[family])).toBe(false);
      expect(await reaches(host, HOST[family], STRANGER[family], 80), `answer ${family}`).toBe(true);
      expect(await pings(host, HOST[family], STRANGER[family]), `echo ${family}`).toBe(true);
      expect(
        await reaches(host, family === 'v4' ? '127.0.0.1' : '::1', family === 'v4' ? '127.0.0.1' : '::1', 80),
      ).toBe(true);
    }
    // A neighbour elsewhere is asked anew and still found: neighbour discovery and ARP are no connections.
    await host.ip('neigh flush dev wire');
    expect(await pings(host, HOST.v6, STRANGER.v6)).toBe(true);
    expect((await project.blocklist(host, 'status')).status).toBe(0);
  });

  systemTest('on some ports: everything else is open to all', [], async () => {
    await only('only: [de], ports: [443]');
    await project.done(host, 'apply');
    for (const family of FAMILIES) {
      expect(await reaches(peer, STRANGER[family], HOST[family], 443), `443 ${family}`).toBe(false);
      expect(await reaches(peer, FRIEND[family], HOST[family], 443), `friend ${family}`).toBe(true);
      expect(await reaches(peer, STRANGER[family], HOST[family], 80), `80 ${family}`).toBe(true);
      expect(await pings(peer, STRANGER[family], HOST[family]), `ping ${family}`).toBe(true);
    }
  });

  systemTest('allow opens for one address, at once', [], async () => {
    await only('only: [de]');
    await project.done(host, 'apply');
    await project.done(host, 'allow', STRANGER.v4);
    expect(await reaches(peer, STRANGER.v4, HOST.v4, 80)).toBe(true);
    await project.done(host, 'allow', '--remove', STRANGER.v4);
    expect(await reaches(peer, STRANGER.v4, HOST.v4, 80)).toBe(false);
  });

  systemTest('why tells who is kept out, where, and what lets them in', [], async () => {
    const why = async (...words: string[]) => (await project.done(host, 'why', ...words)).stdout;
    await only('only: [de]');
    await project.done(host, 'apply');
    expect(await why(STRANGER.v4)).toMatch(
      /^110\.1\.1\.2: blocked\n {2}not in countries\.only: may not connect, answers/,
    );
    expect(await why(FRIEND.v4)).toContain('not blocked');
    expect(await why('88.198.0.0/16')).not.toContain('may not connect');
    expect(await why('0.0.0.0/1')).toMatch(/^0\.0\.0\.0\/1: .* of its 2,147,483,648 addresses are blocked\n/);
    await project.done(host, 'allow', STRANGER.v4);
    const [answer] = JSON.parse(await why(STRANGER.v4, '--json')).answers;
    expect(answer).toMatchObject({ verdict: 'free', decidedBy: 'allowed-here', keptOut: null });
    await only('only: [de], ports: [443, 22]');
    const limited = await why(STRANGER.v6);
    expect(limited).toContain('not blocked');
    expect(limited).toContain('not in countries.only: may not connect to ports 22, 443');
    expect(limited).toContain(`allow ${STRANGER.v6}`);
  });

  systemTest(
    'comes and goes with the configuration, and no packet of a friend is lost meanwhile',
    [],
    async () => {
      const configurations = ['block: [kp]', 'only: [de]', 'only: [de, at], ports: [80]', 'only: [de]', 'block: [kp]'];
      const stream = peer.start(['ping', '-n', '-i', '0.002', '-I', FRIEND.v4, HOST.v4]);
      for (const countries of configurations) {
        await only(countries);
        await project.done(host, 'apply');
        expect((await project.blocklist(host, 'status')).status, countries).toBe(0);
        const chains = await host.must(['nft', '-t', 'list', 'table', 'inet', 'blocklist']);
        expect(chains.includes('chain stateful'), countries).toBe(countries.startsWith('only'));
        expect(chains.includes('set only_nets4'), countries).toBe(countries.startsWith('only'));
        expect(await reaches(peer, STRANGER.v4, HOST.v4, 80), countries).toBe(countries.startsWith('block'));
      }
      process.kill(stream.pid, 'SIGINT');
      await until('ping counts', () => stream.output().includes('received'));
      const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(stream.output()) ?? [];
      expect(Number(sent)).toBeGreaterThan(500);
      // The answer to the last one may have been under way.
      expect(Number(sent) - Number(received)).toBeLessThanOrEqual(1);
      await project.done(host, 'rollback');
      expect(await reaches(peer, STRANGER.v4, HOST.v4, 80)).toBe(false);
    },
    240_000,
  );

  systemTest('sessions from elsewhere end, those that this host began and those to free ports stay', [], async () => {
    const stranger = await server.session(peer, 'root', HOST.v4, ['-b', STRANGER.v4]);
    const friend = await server.session(peer, 'root', HOST.v4, ['-b', FRIEND.v4]);
    const holds = (to: string, port: number, from: string) =>
      `require('node:net').connect({ host: '${to}', port: ${port}, localAddress: '${from}' }).on('connect', () => console.log('up'))`;
    const serve = "require('node:net').createServer(() => 0).listen(7000, '::', () => console.log('up'))";
    const beside = [host.start([process.execPath, '-e', serve]), peer.start([process.execPath, '-e', serve])];
    await until('both serve', () => beside.every(({ output }) => output().includes('up')));
    const asked = host.start([process.execPath, '-e', holds(STRANGER.v4, 7000, HOST.v4)]);
    const free = peer.start([process.execPath, '-e', holds(HOST.v4, 7000, STRANGER.v4)]);
    await until('both are connected', () => [asked, free].every(({ output }) => output().includes('up')));
    await only('only: [de], ports: [2222]');
    const { stderr } = await project.done(host, 'apply');
    expect(stderr).toContain(`ended, an SSH SESSION: tcp ${STRANGER.v4}`);
    expect(stderr.match(/^ended/gm)).toHaveLength(1);
    const peers = async (port: number) => {
      const left = await host.must(['ss', '-Htn', 'state', 'established', `( sport = :${port} or dport = :${port} )`]);
      return left.match(/(88\.198|110\.1)\.1\.2(?=\]?:)/g);
    };
    expect(await peers(2222)).toEqual([FRIEND.v4]);
    expect(await peers(7000)).toEqual([STRANGER.v4, STRANGER.v4]);
    for (const program of [stranger, friend, asked, free, ...beside]) await program.stop();
  });

  systemTest('another port in the rule is drift, and is mended', [], async () => {
    await only('only: [de], ports: [443]');
    await project.done(host, 'apply');
    const listing = await host.must(['nft', '-a', 'list', 'chain', 'inet', 'blocklist', 'stateful']);
    const handle = /th dport != 443.*# handle (\d+)/.exec(listing)?.[1];
    await host.nft(`replace rule inet blocklist stateful handle ${handle} th dport != 444 return`);
    expect((await project.blocklist(host, 'status')).status).toBe(1);
    await project.done(host, 'apply', '--repair');
    expect((await project.blocklist(host, 'status')).status).toBe(0);
  });

  systemTest('who calls through ssh from elsewhere is not locked out, unless the port is free', [], async () => {
    const ssh = (...command: string[]) =>
      peer.run(server.argv('root', HOST.v4, project.argv(...command).join(' '), ['-b', STRANGER.v4]));
    await only('only: [de]');
    const refused = await ssh('apply');
    expect([refused.status, refused.stderr]).toEqual([
      4,
      expect.stringContaining(`would drop ${STRANGER.v4}, the other end of your SSH session (not in set only_nets4)`),
    ]);
    await only('only: [de], ports: [2222]');
    expect((await ssh('apply')).status).toBe(4);
    await only('only: [de], ports: [80]');
    expect((await ssh('apply')).status).toBe(0);
    await only('only: [de]');
    expect((await ssh('allow', STRANGER.v4)).status).toBe(0);
    expect((await ssh('apply')).status).toBe(0);
    expect((await ssh('status', '--fast')).status).toBe(0);
  });
});
