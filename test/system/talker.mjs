import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

/**
 * talker.mjs serve LIST   echoes TCP and UDP: [{"kind": "tcp", "at": "::", "port": 22}, …]
 * talker.mjs talk LIST    [{"what": …, "kind": "tcp" | "udp" | "session", "from": …, "to": …, "port": …, "size": bytes}, …]: opens the sessions, says
 *                         "ready", and with SIGUSR2 asks all others; prints by `what` whether an answer came.
 */
const [, , does, list] = process.argv;
const LONGEST_MS = 1500;
const items = JSON.parse(list);

if (does === 'serve') {
  await Promise.all(items.map(serve));
  process.stdout.write('ready\n');
} else {
  const opened = await Promise.all(items.map((item) => (item.kind === 'session' ? open(item) : undefined)));
  await new Promise((resolve) => {
    // A handler alone keeps nobody awake.
    const awake = setInterval(() => undefined, 1000);
    process.once('SIGUSR2', () => resolve(clearInterval(awake)));
    process.stdout.write('ready\n');
  });
  const answers = await Promise.all(items.map((item, i) => within(asked(item, opened[i]))));
  process.stdout.write(`${JSON.stringify(Object.fromEntries(items.map(({ what }, i) => [what, answers[i]])))}\n`);
  process.exit();
}

function serve({ kind, at, port }) {
  return new Promise((resolve, reject) => {
    if (kind === 'tcp') {
      const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
      server.on('error', reject).listen(port, at, resolve);
    } else {
      const socket = createSocket(at.includes(':') ? 'udp6' : 'udp4');
      socket.on('message', (data, { port: back, address }) => socket.send(data, back, address));
      socket.on('error', reject).bind(port, at, resolve);
    }
  });
}

function open({ from, to, port }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: to, port, localAddress: from });
    socket.once('error', reject).once('data', () => {
      socket.off('error', reject).on('error', () => undefined);
      resolve(socket);
    });
    socket.write('.');
  });
}

function within(answer) {
  return Promise.race([answer, new Promise((resolve) => setTimeout(resolve, LONGEST_MS, 'drop'))]);
}

/** `pass` when an answer comes; what the kernel says of it otherwise. */
function asked({ kind, from, to, port, size = 1 }, opened) {
  return new Promise((resolve) => {
    if (kind === 'udp') {
      const socket = createSocket(from.includes(':') ? 'udp6' : 'udp4');
      // What `output` drops the sender is told as EPERM.
      socket.on('error', ({ code }) => resolve(code === 'EPERM' ? 'drop' : code)).on('message', () => resolve('pass'));
      socket.bind(0, from, () => socket.send(Buffer.alloc(size), port, to));
    } else {
      const socket = opened ?? connect({ host: to, port, localAddress: from });
      socket.on('error', ({ code }) => resolve(code)).once('data', () => resolve('pass'));
      // A session that our program closed.
      socket.on('close', () => resolve('drop'));
      socket.write('.');
    }
  });
}
