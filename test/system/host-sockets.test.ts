import { afterEach, beforeEach, expect } from 'vitest';
import { tempFolder } from '../io/temp.js';
import { factIn, type SocketFact } from './host-facts.js';
import { connect, Namespace } from './namespace.js';
import { type Background, must, until } from './processes.js';
import { describeSystem, systemTest, WITHOUT_RIGHTS } from './requirements.js';

/** Serves TCP on 7001 for both families and says what becomes of each connection. */
const SERVER = `
  const server = require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
    const name = socket.remoteAddress;
    socket.on('data', (data) => console.log('got', name, String(data)));
    socket.on('error', (error) => console.log('broken', name, error.code));
    socket.on('close', () => console.log('closed', name));
  });
  server.listen({ host: '::', port: 7001 }, () => console.log('ready'));
`;

/** Connects to each address, then writes to all when a line arrives. */
function client(...hosts: readonly string[]): string {
  return `
    const ends = ${JSON.stringify(hosts)}.map((host) => {
      const socket = require('node:net').connect({ host, port: 7001 }, () => console.log('connected', host));
      socket.on('error', (error) => console.log('broken', host, error.code));
      return socket;
    });
    setInterval(() => ends.forEach((end) => end.writable && end.write('x')), 100);
  `;
}

/** Connected UDP: IPv4, IPv4-mapped and IPv6. */
const UDP = `
  const dgram = require('node:dgram');
  for (const [type, host] of [['udp4', '10.77.0.2'], ['udp6', '::ffff:10.77.0.2'], ['udp6', 'fd77::2']]) {
    const socket = dgram.createSocket(type);
    socket.connect(9, host, () => console.log('connected'));
    socket.on('error', (error) => console.log('broken', host, error.code));
  }
`;

/** Its main thread ends at once: /proc/PID/fd is empty, and ss -p names nobody for what it holds. */
const HIDING = `
  #include <pthread.h>
  #include <unistd.h>
  static void *wait(void *_) { for (;;) pause(); }
  int main(void) { pthread_t thread; pthread_create(&thread, 0, wait, 0); pthread_exit(0); }
`;

const exact = (socket: SocketFact) => JSON.stringify({ ...socket, processes: undefined });

/** The address that the interface gives itself, when the check for duplicates is over: before, others are taken as sender. */
async function linkLocalOf(namespace: Namespace): Promise<string> {
  const argv = ['ip', '-6', '-o', 'addr', 'show', 'dev', 'wire', 'scope', 'link', '-tentative'];
  let found = '';
  await until('the link is up', async () => {
    found = /fe80[0-9a-f:]+/.exec(await namespace.must(argv))?.[0] ?? '';
    return found !== '';
  });
  return found;
}

describeSystem('sockets of this host', ['root', 'netns', 'ip', 'ss'], () => {
  let host: Namespace;
  let other: Namespace;
  let server: Background;
  let linkLocal = '';
  beforeEach(async () => {
    [host, other] = [await Namespace.create(), await Namespace.create()];
    await connect(host, other);
    await host.ip('addr add 10.77.0.1/24 dev wire', 'addr add fd77::1/64 dev wire nodad');
    await other.ip('addr add 10.77.0.2/24 dev wire', 'addr add fd77::2/64 dev wire nodad');
    linkLocal = await linkLocalOf(host);
    await linkLocalOf(other);
    server = host.start([process.execPath, '-e', SERVER]);
    await until('the server listens', () => server.output().includes('ready'));
  });
  afterEach(async () => {
    await host.remove();
    await other.remove();
  });

  async function connected(...hosts: readonly string[]): Promise<Background> {
    const started = other.start([process.execPath, '-e', client(...hosts)]);
    const count = () => started.output().match(/connected/g)?.length ?? 0;
    await until('all are connected', () => count() === hosts.length);
    return started;
  }

  systemTest('IPv4 as mapped IPv6, IPv6 and link-local: seen with their process, each closed alone', [], async () => {
    const started = await connected('10.77.0.1', 'fd77::1', `${linkLocal}%wire`);
    const seen = await factIn<SocketFact[]>(host, 'sockets()');
    expect(seen.map(({ protocol, state, local }) => `${protocol} ${state} ${local.port}`)).toEqual(
      Array(3).fill('tcp ESTAB 7001'),
    );
    expect(seen.map(({ local }) => local.text).sort()).toEqual(
      ['[::ffff:10.77.0.1]:7001', '[fd77::1]:7001', `[${linkLocal}]%wire:7001`].sort(),
    );
    expect(seen.map(({ local }) => local.address).sort()).toEqual(['10.77.0.1', 'fd77::1', linkLocal].sort());
    for (const { processes } of seen) expect(processes).toEqual([{ name: 'node', pid: expect.any(Number) }]);

    const order = ['10.77.0.2', 'fd77::2', 'fe80'];
    for (const [k, address] of order.entries()) {
      const now = await factIn<SocketFact[]>(host, 'sockets()');
      expect(now).toHaveLength(order.length - k);
      const target = now.find(({ peer }) => peer.address.startsWith(address));
      if (target === undefined) throw new Error(`no socket of ${address}`);
      const close = `(async () => [await closeSocket(${exact(target)}), await closeSocket(${exact(target)})])()`;
      expect(await factIn(host, close)).toEqual(['closed', 'gone']);
      await until('both ends know', () => server.output().includes('ECONNABORTED') && /broken/.test(started.output()));
    }
    expect(await factIn(host, 'sockets()')).toEqual([]);
    expect(started.output().match(/broken/g)).toHaveLength(3);
  });

  systemTest('of two connections of one IPv4 peer only the named one ends', [], async () => {
    const started = await connected('10.77.0.1', '10.77.0.1');
    const [first, second] = await factIn<SocketFact[]>(other, 'sockets()');
    if (first === undefined || second === undefined) throw new Error('two sockets');
    expect(first.peer.text).toBe('10.77.0.1:7001');
    expect(await factIn(other, `closeSocket(${exact(first)})`)).toBe('closed');
    await until('its client knows', () => started.output().includes('broken'));
    expect((await factIn<SocketFact[]>(other, 'sockets()')).map(({ local }) => local.text)).toEqual([
      second.local.text,
    ]);
  });

  systemTest('connected UDP', [], async () => {
    const started = host.start([process.execPath, '-e', UDP]);
    await until('all are connected', () => started.output().match(/connected/g)?.length === 3);
    const seen = await factIn<SocketFact[]>(host, 'sockets()');
    expect(seen.map(({ protocol, peer }) => `${protocol} ${peer.text}`).sort()).toEqual([
      'udp 10.77.0.2:9',
      'udp [::ffff:10.77.0.2]:9',
      'udp [fd77::2]:9',
    ]);
    for (const socket of seen) {
      expect(await factIn(host, `closeSocket(${exact(socket)})`), socket.peer.text).toBe('closed');
    }
    expect(await factIn(host, 'sockets()')).toEqual([]);
  });

  systemTest('half-closed connections are there until they are closed, listening sockets are not', [], async () => {
    const started = await connected('10.77.0.1');
    await started.stop();
    const [waiting] = await factIn<SocketFact[]>(host, 'sockets()');
    const [orphan] = await factIn<SocketFact[]>(other, 'sockets()');
    if (waiting === undefined || orphan === undefined) throw new Error('two ends');
    expect([waiting.state, waiting.processes.length]).toEqual(['CLOSE-WAIT', 1]);
    expect([orphan.state, orphan.processes]).toEqual(['FIN-WAIT-2', []]);
    expect(await factIn(other, `closeSocket(${exact(orphan)})`)).toBe('closed');
    expect(await factIn(host, `closeSocket(${exact(waiting)})`)).toBe('closed');
    expect([await factIn(host, 'sockets()'), await factIn(other, 'sockets()')]).toEqual([[], []]);
  });

  systemTest('a process that calls itself as another line of ss deceives nobody', [], async () => {
    // prctl(PR_SET_NAME): what node sets as its title is the name of its main thread.
    const code = `process.title = '",pid=1,fd=3),('; ${client('10.77.0.1')}`;
    const started = other.start([process.execPath, '-e', code]);
    await until('it is connected', () => started.output().includes('connected'));
    const [socket] = await factIn<SocketFact[]>(other, 'sockets()');
    expect(socket?.processes).toHaveLength(1);
    expect(socket?.processes[0]?.name).toBe('",pid=1,fd=3),(');
    expect(socket?.processes[0]?.pid).toBeGreaterThan(1);
  });

  systemTest(
    'a process whose main thread has ended is named, and so is everyone who shares a socket',
    ['gcc'],
    async () => {
      const folder = await tempFolder();
      await must(['gcc', '-pthread', '-x', 'c', '-o', `${folder}/hiding`, '-'], { stdin: HIDING });
      const code = `
      const socket = require('node:net').connect(7001, '10.77.0.1', () => {
        const child = require('node:child_process').spawn('${folder}/hiding', [], { stdio: ['ignore', 'ignore', 'ignore', socket] });
        process.on('SIGTERM', () => { child.kill('SIGKILL'); process.exit(); });
        setTimeout(() => console.log('shared'), 300);
      });
    `;
      const started = other.start([process.execPath, '-e', code]);
      await until('it is shared', () => started.output().includes('shared'));
      const [socket] = await factIn<SocketFact[]>(other, 'sockets()');
      expect(socket?.processes.map(({ name }) => name).sort()).toEqual(['hiding', 'node']);
    },
  );

  systemTest('without the right nothing is closed, and that is said', ['setpriv'], async () => {
    await connected('10.77.0.1');
    const [socket] = await factIn<SocketFact[]>(host, 'sockets()');
    if (socket === undefined) throw new Error('one socket');
    expect(await factIn(host, `closeSocket(${exact(socket)})`, WITHOUT_RIGHTS)).toBe('refused');
    expect(await factIn<SocketFact[]>(host, 'sockets()')).toHaveLength(1);
  });

  systemTest('five thousand connections: all seen, with their process, in seconds', ['prlimit'], async () => {
    const many = `
      const net = require('node:net');
      const server = net.createServer(() => { if (++taken === 2500) console.log('all'); });
      let taken = 0;
      server.listen({ host: '10.77.0.1', port: 7002, backlog: 4000 }, () => {
        for (let k = 0; k < 2500; k++) net.connect(7002, '10.77.0.1');
      });
    `;
    const started = host.start(['prlimit', '--nofile=20000:20000', process.execPath, '-e', many]);
    await until('all are connected', () => started.output().includes('all'), 30_000);
    const timed =
      '(async () => { const from = performance.now(); const all = await sockets(); return { ms: performance.now() - from, all }; })()';
    const { ms, all } = await factIn<{ ms: number; all: SocketFact[] }>(host, timed);
    expect(all.filter(({ processes }) => processes.length === 1)).toHaveLength(5_000);
    expect(ms).toBeLessThan(5_000);
  });
});
