import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, Namespace } from './namespace.js';
import { must, until } from './processes.js';

/** One of the senders: its name in the counters, its address, and where it sends to. */
export interface Stream {
  readonly name: string;
  readonly source: string;
}

/** What the second table counted of one stream. */
export interface Count {
  /** packets at priority −399, before our rules */
  readonly before: number;
  /** packets at priority −305, behind our rules */
  readonly behind: number;
}

export interface Measured {
  readonly counts: Readonly<Record<string, Count>>;
  readonly seconds: number;
}

const SOURCE = fileURLToPath(new URL('sender.c', import.meta.url));
const HOST4 = '62.1.1.1';
const HOST6 = '2a02:1::1';
const HOST_MAC = '02:00:00:00:00:01';
const PORT = 9;
/** The sender ends itself after this time, should nobody else end it. */
const LONGEST_SECONDS = 400;

/** Two namespaces joined by a cable: `host` is where the rules are loaded, `peer` sends. */
export class Stage {
  private constructor(
    readonly host: Namespace,
    private readonly peer: Namespace,
    private readonly folder: string,
    private readonly streams: readonly Stream[],
  ) {}

  /** @param own the namespace of the host, a new one when it is not given; removed with the stage */
  static async create(streams: readonly Stream[], own?: Namespace): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'blocklist-sender-'));
    await must(['gcc', '-O2', '-Wall', '-o', join(folder, 'sender'), SOURCE]);
    const [host, peer] = [own ?? (await Namespace.create()), await Namespace.create()];
    await connect(host, peer);
    await host.ip(
      `link set wire address ${HOST_MAC}`,
      `addr add ${HOST4}/24 dev wire`,
      `addr add ${HOST6}/64 dev wire nodad`,
    );
    for (const { source } of streams) {
      await peer.ip(`addr add ${source}${source.includes(':') ? '/64 nodad' : '/24'} dev wire`);
    }
    // A listed address gets no answer to its neighbour solicitation: a router on the way would have asked for it.
    await peer.ip(
      `neigh replace ${HOST4} lladdr ${HOST_MAC} nud permanent dev wire`,
      `neigh replace ${HOST6} lladdr ${HOST_MAC} nud permanent dev wire`,
    );
    return new Stage(host, peer, folder, streams);
  }

  /** A second table that counts before and behind our rules, with one lookup a packet: the streams are to be fast. */
  private watch(): string {
    const counters = this.streams.flatMap(({ name }) => [`counter before_${name} { }`, `counter behind_${name} { }`]);
    const chain = (point: string, priority: number, rest: string) => {
      const elements = (isSix: boolean) => {
        const mine = this.streams.filter(({ source }) => source.includes(':') === isSix);
        const pairs = mine.map(({ name, source }) => `${source} : "${point}_${name}"`);
        return pairs.length === 0 ? '' : `elements = { ${pairs.join(', ')} };`;
      };
      return `
        map ${point}4 { type ipv4_addr : counter; ${elements(false)} }
        map ${point}6 { type ipv6_addr : counter; ${elements(true)} }
        chain ${point} {
          type filter hook prerouting priority ${priority};
          udp dport != ${PORT} return
          counter name ip saddr map @${point}4
          counter name ip6 saddr map @${point}6
          ${rest}
        }`;
    };
    return `table inet watch {
      ${counters.join('\n')}
      ${chain('before', -399, '')}
      ${chain('behind', -305, `udp dport ${PORT} drop`)}
    }`;
  }

  private async counts(): Promise<Record<string, Count>> {
    const text = await this.host.must(['nft', 'list', 'counters', 'table', 'inet', 'watch']);
    const read = (counter: string) => {
      const found = new RegExp(`counter ${counter} \\{\\s*packets (\\d+)`).exec(text)?.[1];
      if (found === undefined) throw new Error(`no counter ${counter} in ${text}`);
      return Number(found);
    };
    return Object.fromEntries(
      this.streams.map(({ name }) => [name, { before: read(`before_${name}`), behind: read(`behind_${name}`) }]),
    );
  }

  /** Runs the work while all streams send, and counts from before its begin to after its end. */
  async during(work: () => Promise<void>): Promise<Measured> {
    await this.host.nft(`table inet watch\ndelete table inet watch\n${this.watch()}`);
    const pairs = this.streams.flatMap(({ source }) => [source, source.includes(':') ? HOST6 : HOST4]);
    const sender = this.peer.start([
      // Ahead of whatever else this machine does: the rate is part of what is asserted.
      ...['nice', '-n', '-4', join(this.folder, 'sender')],
      ...[String(LONGEST_SECONDS), String(PORT), ...pairs],
    ]);
    try {
      await until('packets arrive', async () =>
        Object.values(await this.counts()).every(({ before }) => before > 1000),
      );
      await work();
    } finally {
      await sender.stop();
    }
    const seconds = Number(/ in ([\d.]+)/.exec(sender.output())?.[1]);
    if (!(seconds > 0)) throw new Error(`the sender said: ${sender.output()}`);
    let last = '';
    await until('the last packets are counted', async () => {
      const text = JSON.stringify(await this.counts());
      const isSame = text === last;
      last = text;
      return isSame;
    });
    return { counts: await this.counts(), seconds };
  }

  async remove(): Promise<void> {
    await this.peer.remove();
    await this.host.remove();
    await rm(this.folder, { recursive: true, force: true });
  }
}
