import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { type EndpointFact, factIn, type SocketFact, script } from './host-facts.js';
import { connect, Namespace } from './namespace.js';
import { type Background, until } from './processes.js';
import { describeSystem, systemTest, WITHOUT_RIGHTS } from './requirements.js';
import { SshServer } from './ssh-server.js';

const STALE = "SSH_CONNECTION='203.0.113.9 50122 10.77.0.1 2222'";
/** Leaves its parents: the shell ends before the program looks. */
const orphaned = (command: string) => `(sleep 1; ${command}) & exit`;

describeSystem('SSH peers, by a real sshd', ['root', 'netns', 'mountns', 'ip', 'ss', 'sshd', 'ssh', 'setsid'], () => {
  let host: Namespace;
  let client: Namespace;
  let server: SshServer;
  const program = join(tmpdir(), `blocklist-peer-${process.pid}.mjs`);
  const node = `'${process.execPath}' '${program}'`;

  beforeAll(async () => {
    [host, client] = [await Namespace.create(), await Namespace.create()];
    await connect(host, client);
    await host.ip('addr add 10.77.0.1/24 dev wire', 'addr add fd77::1/64 dev wire nodad');
    await client.ip('addr add 10.77.0.2/24 dev wire', 'addr add fd77::2/64 dev wire nodad');
    server = await SshServer.start(host, 2222);
    await writeFile(program, script('(await invokingSshSession(process.env))?.peer'));
  });
  afterAll(async () => {
    await host.remove();
    await client.remove();
    await server.remove();
    await rm(program, { force: true });
  });

  /** Says 'taken' for each connection to the port. */
  async function listener(port: number): Promise<Background> {
    const code = `require('node:net').createServer(() => console.log('taken')).listen(${port}, () => console.log('ready'))`;
    const started = host.start([process.execPath, '-e', code]);
    await until('it listens', () => started.output().includes('ready'));
    return started;
  }

  /** What the program says when a session of root runs this command. */
  async function told(command: string, address = '10.77.0.1', options: readonly string[] = []) {
    const output = await client.must(server.argv('root', address, `echo $SSH_CONNECTION; ${command}`, options));
    const [connection = '', ...rest] = output.split('\n');
    const peer = JSON.parse(rest.join('\n')) as EndpointFact | null;
    return { client: connection.split(' ').slice(0, 2).join(' '), peer: peer && `${peer.address} ${peer.port}` };
  }

  const KNOWN: ReadonlyArray<readonly [name: string, command: string]> = [
    ['plainly', node],
    ['with an empty environment', `env -i ${node}`],
    ['in a session of its own', `setsid -w ${node}`],
    ['with the environment of an older session', `${STALE} ${node}`],
    ['with both', `setsid -w env -i ${STALE} ${node}`],
    ['deep below', `sh -c "sh -c \\"env -i ${node.replaceAll("'", '')}; true\\"; true"`],
    ['away from its parents, by the environment', orphaned(node)],
    ['without the right to see processes, by the environment', `${WITHOUT_RIGHTS.join(' ')} ${node}`],
  ];
  for (const [name, command] of KNOWN) {
    systemTest(`started ${name}: the peer of this session`, [], async () => {
      const { client: expected, peer } = await told(command);
      expect(expected).toMatch(/^10\.77\.0\.2 \d+$/);
      expect(peer).toBe(expected);
    });
  }

  const UNKNOWN: ReadonlyArray<readonly [name: string, command: string]> = [
    ['away from its parents with a stale environment', orphaned(`${STALE} ${node}`)],
    ['away from its parents with an empty one', orphaned(`env -i ${node}`)],
    ['away from its parents with a wrong port', orphaned(`SSH_CONNECTION="$\{SSH_CONNECTION% *} 2223" ${node}`)],
  ];
  for (const [name, command] of UNKNOWN) {
    systemTest(`started ${name}: nobody is believed`, [], async () => {
      expect((await told(command)).peer).toBeNull();
    });
  }

  systemTest('over IPv6', [], async () => {
    const { client: expected, peer } = await told(`env -i ${node}`, 'fd77::1');
    expect(expected).toMatch(/^fd77::2 \d+$/);
    expect(peer).toBe(expected);
  });

  systemTest('outside any session: undefined', [], async () => {
    expect(await factIn(host, 'invokingSshSession({})')).toBeNull();
  });

  systemTest('a plain user has two processes of sshd; a forwarded connection is not the peer', [], async () => {
    const forwarding = ['-L', '127.0.0.1:7100:10.77.0.1:7101', '-R', '10.77.0.1:7102:127.0.0.1:7103'];
    const target = await listener(7101);
    for (const user of ['nobody', 'root']) {
      const session = await server.session(client, user, '10.77.0.1', forwarding);
      const taken = target.output().length;
      const through = client.start([
        process.execPath,
        '-e',
        "require('node:net').connect(7100, '127.0.0.1'); setInterval(() => 0, 1000)",
      ]);
      await until('the forwarded connection is there', () => target.output().length > taken);
      const peer = await factIn<EndpointFact | null>(host, `(await invokingSshSession({}, ${session.pid}))?.peer`);
      const peers = await factIn<SocketFact[]>(host, 'sshPeers()');
      expect(await factIn<number[]>(host, 'sshPorts()'), user).toEqual([2222]);
      await through.stop();
      await session.stop();
      expect(peer?.address, user).toBe('10.77.0.2');
      expect(
        peers.map(({ local, peer: end }) => [local.port, end.address, end.port]),
        user,
      ).toEqual([[2222, '10.77.0.2', peer?.port]]);
    }
    await until('the sessions have ended', async () => (await factIn<unknown[]>(host, 'sshPeers()')).length === 0);
  });

  systemTest('all peers of all sessions, and nobody who is connected elsewhere', [], async () => {
    const sessions = [
      await server.session(client, 'root', '10.77.0.1'),
      await server.session(client, 'nobody', 'fd77::1'),
    ];
    const web = await listener(7104);
    client.start([process.execPath, '-e', "require('node:net').connect(7104, '10.77.0.1')"]);
    await until('it is connected', () => web.output().includes('taken'));
    const peers = await factIn<SocketFact[]>(host, 'sshPeers()');
    for (const session of sessions) await session.stop();
    expect(peers.map(({ peer }) => peer.address).sort()).toEqual(['10.77.0.2', 'fd77::2']);
  });
});
