import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { onTestFinished } from 'vitest';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface TestServer {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** headers of each request, in their order */
  readonly requests: IncomingMessage['headers'][];
  /** what the next requests get */
  answer: Answer;
  /** from now on every connection is refused */
  stop(): Promise<void>;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

interface Tls {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** A server on the loopback that goes away with the test; with `tls`, one that speaks https. */
export async function testServer(answer: Answer, tls?: Tls): Promise<TestServer> {
  const made = await openServer(answer, tls);
  onTestFinished(() => made.stop());
  return made;
}

/** The same, which stays until it is stopped. */
export async function openServer(answer: Answer, tls?: Tls): Promise<TestServer> {
  const requests: IncomingMessage['headers'][] = [];
  const handle: RequestListener = (request, response) => {
    requests.push(request.headers);
    response.on('error', () => undefined);
    made.answer(request, response);
  };
  const server = tls === undefined ? createServer(handle) : createSecureServer(tls, handle);
  const port = await listen(server);
  const made: TestServer = {
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests,
    answer,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return made;
}

/** Status 200 with this body. */
export function sends(body: Uint8Array | string, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(200, headers);
    response.end(body);
  };
}

export function refuses(status: number, body = 'sorry\n'): Answer {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'text/plain' });
    response.end(body);
  };
}

export function redirects(to: (path: string) => string | undefined): Answer {
  return (request, response) => {
    const location = to(request.url ?? '/');
    response.writeHead(302, location === undefined ? {} : { location });
    response.end('moved\n');
  };
}

/** Status 200, then this text again and again, as fast as the reader takes it or every `everyMs`. */
export function neverEnds(text: string, everyMs?: number): Answer {
  return (_, response) => {
    response.writeHead(200);
    if (everyMs !== undefined) {
      const timer = setInterval(() => response.write(text), everyMs);
      response.on('close', () => clearInterval(timer));
      return;
    }
    const fill = () => {
      while (!response.destroyed && response.write(text));
    };
    response.on('drain', fill);
    fill();
  };
}

/** Promises more than it sends, then ends the connection: by a reset or as if all were said. */
export function breaksOff(text: string, how: 'reset' | 'end'): Answer {
  return (_, response) => {
    response.writeHead(200, { 'content-length': String(text.length + 100) });
    response.write(text, () => {
      if (how === 'reset') response.socket?.resetAndDestroy();
      else response.socket?.end();
    });
  };
}
