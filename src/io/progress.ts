import type { Writable } from 'node:stream';
import { grouped } from './figures.js';

/** Who is told of downloads while they run, by the id of their source. */
export interface DownloadProgress {
  begin(id: string): void;
  /** bytes so far, and of how many where the server says so */
  advance(id: string, bytes: number, total: number | undefined): void;
  end(id: string): void;
  /** Takes what is drawn away again. */
  close(): void;
}

const NOTHING = () => undefined;

/** Bars on a terminal, one a download and one for all; elsewhere a line for each that brought something. */
export async function fetchProgress(stream: Writable, voice: 'shown' | 'silent'): Promise<DownloadProgress> {
  if (voice === 'silent') return { begin: NOTHING, advance: NOTHING, end: NOTHING, close: NOTHING };
  const isTerminal = 'isTTY' in stream && stream.isTTY === true;
  return isTerminal ? bars(stream) : lines(stream);
}

function lines(stream: Writable): DownloadProgress {
  const bytesOf = new Map<string, number>();
  return {
    begin: NOTHING,
    advance: (id, bytes) => void bytesOf.set(id, bytes),
    end: (id) => {
      const bytes = bytesOf.get(id);
      if (bytes !== undefined) stream.write(`${id}: ${grouped(bytes)} bytes fetched\n`);
    },
    close: NOTHING,
  };
}

async function bars(stream: Writable): Promise<DownloadProgress> {
  const { MultiBar, Presets } = (await import('cli-progress')).default;
  const multi = new MultiBar(
    {
      stream: stream as NodeJS.WriteStream,
      format: '{name} {bar} {amount}',
      clearOnComplete: true,
      hideCursor: true,
      // Otherwise the line of a bar that ended stays where another one is now.
      forceRedraw: true,
      barsize: 24,
    },
    Presets.shades_classic,
  );
  const width = 28;
  const nameOf = (text: string) => text.slice(0, width).padEnd(width);
  const total = multi.create(0, 0, { name: nameOf('all sources'), amount: '' });
  const open = new Map<string, ReturnType<typeof multi.create>>();
  return {
    begin: (id) => {
      total.setTotal(total.getTotal() + 1);
      open.set(id, multi.create(1, 0, { name: nameOf(id), amount: 'waiting' }));
    },
    advance: (id, bytes, all) => {
      const bar = open.get(id);
      // Of unknown size: half a bar until it ends.
      bar?.setTotal(all ?? bytes * 2);
      bar?.update(bytes, { amount: `${grouped(bytes)} bytes` });
    },
    end: (id) => {
      const bar = open.get(id);
      if (bar !== undefined) multi.remove(bar);
      total.increment(1, { amount: `${total.getProgress() < 1 ? 'fetching' : 'done'}` });
    },
    close: () => multi.stop(),
  };
}
