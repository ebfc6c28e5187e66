import { request as ask, createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { TestServer } from './server.js';

export interface TestProxy {
  readonly port: number;
  /** the host, with its port where it was named, of each request and each tunnel that it was asked for */
  readonly asked: { readonly how: 'request' | 'tunnel'; readonly host: string }[];
  /** what was sent to the proxy itself */
  readonly headers: IncomingHttpHeaders[];
}

/**
 * An HTTP proxy on the loopback that knows one server, whatever name it is asked for. Tunnels, which are CONNECT, lead to any port, or
 * to that of https alone, as squid and others have it by default. One that leads to nowhere takes what it is sent and never answers.
 */
export async function testProxy(
  { origin }: TestServer,
  tunnels: 'to any port' | 'to 443' | 'to nowhere',
): Promise<TestProxy> {
  const upstream = { host: '127.0.0.1', port: Number(new URL(origin).port) };
  const asked: TestProxy['asked'] = [];
  const headers: IncomingHttpHeaders[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const { host, pathname, search } = new URL(request.url ?? '');
    asked.push({ how: 'request', host });
    headers.push(request.headers);
    if (tunnels === 'to nowhere') return;
    const onward = ask({ ...upstream, path: `${pathname}${search}`, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    onward.end();
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('connect', ({ url: host = '', headers: sent }, socket: Socket) => {
    asked.push({ how: 'tunnel', host });
    headers.push(sent);
    socket.on('error', () => undefined);
    if (tunnels === 'to nowhere') return;
    if (tunnels === 'to 443' && !host.endsWith(':443')) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const onward = connect(upstream, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    sockets.add(onward);
    onward.on('error', () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, asked, headers };
}
