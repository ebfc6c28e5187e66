import { type AddressInfo, createServer, type Socket } from 'node:net';
import { crc32, deflateRawSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import type { Answer } from './server.js';

/** `count` addresses, every other one, so that none merge: `first`.0.0, `first`.0.2, … */
export function hosts(first: string, count: number): string {
  return Array.from({ length: count }, (_, i) => `${first}.${i >> 7}.${(i & 127) * 2}\n`).join('');
}

/** What the source has at first; a hundred entries, so that the guards on shrinking and growing hold. */
export const OLD = hosts('5.6', 100);
/** What it has then, where the fault lets it through. */
export const NEW = hosts('9.9', 100);

/** A public address, as a server tells it to the host that asks. */
export const OWN_ADDRESS = '93.184.216.34';

/** Something that goes wrong, and what has to come of it in a source that has last good. */
export interface Fault {
  readonly what: string;
  /** what the server does once last good is there; gone: it listens no more */
  readonly play: Answer | 'gone';
  /** what the source had before; OLD as plain text when left out */
  readonly first?: Answer;
  /** more keys of the source in the configuration */
  readonly keys?: string;
  /** it is worth another attempt: the time for that is kept short */
  readonly isPassing?: true;
  /** whether the rules are as before, or made of what came */
  readonly data: 'old' | 'new';
  /** the addresses that came; NEW when left out */
  readonly came?: string;
  /** `problem` in --json */
  readonly code?: string;
  /** on stderr, behind the name of the source */
  readonly line?: string;
  readonly status: 0 | 3;
}

/** A fault that last good has to stand in for. */
export function kept(code: string, what: string, play: Fault['play'], line: string, more: Partial<Fault> = {}): Fault {
  return { what, play, code, line, data: 'old', status: 3, ...more };
}

/** These bytes as they are, in place of an answer; then the connection ends, unless it is to stay. */
export function raw(text: string, then: 'end' | 'reset' | 'stay' = 'end'): Answer {
  return (_, { socket }) => {
    socket?.on('error', () => undefined);
    socket?.write(Buffer.from(text, 'latin1'), () => {
      if (then === 'end') socket.end();
      if (then === 'reset') socket.resetAndDestroy();
    });
  };
}

/** The beginning of an answer; the rest never comes. */
export function stalls(status: number, headers: Record<string, string>, text: string): Answer {
  return (_, response) => {
    response.writeHead(status, headers);
    response.write(text);
  };
}

/** An answer whose body drips without end. */
export function drips(status: number, headers: Record<string, string>, text: string): Answer {
  return (_, response) => {
    response.writeHead(status, headers);
    const timer = setInterval(() => response.write(text), 20);
    response.on('close', () => clearInterval(timer));
  };
}

/** An answer whose body has no end, as fast as it is taken. */
export function floods(status: number, headers: Record<string, string>): Answer {
  return (_, response) => {
    response.writeHead(status, headers);
    const fill = () => {
      while (!response.destroyed && response.write('x'.repeat(1 << 14)));
    };
    response.on('drain', fill);
    fill();
  };
}

/** The port of a server that takes connections and never says a word. */
export async function muteServer(): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** A zip of one file; `told` is its size by the directory, when that is a lie. */
export function zipOf(name: string, content: Uint8Array | string, told?: number): Buffer {
  const bytes = Buffer.from(content);
  const packed = deflateRawSync(bytes);
  const size = told ?? bytes.length;
  // Version, flags, method, time and date; checksum and sizes; lengths of the name and of nothing more.
  const common = Buffer.concat([u16(20, 0, 8, 0, 0), u32(crc32(bytes), packed.length, size), u16(name.length, 0)]);
  const local = Buffer.concat([u32(0x04034b50), common, Buffer.from(name), packed]);
  const entry = Buffer.concat([u32(0x02014b50), u16(20), common, u16(0, 0, 0), u32(0, 0), Buffer.from(name)]);
  const end = Buffer.concat([u32(0x06054b50), u16(0, 0, 1, 1), u32(entry.length, local.length), u16(0)]);
  return Buffer.concat([local, entry, end]);
}

function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [i, value] of values.entries()) bytes.writeUInt16LE(value, i * 2);
  return bytes;
}

function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, i * 4);
  return bytes;
}
