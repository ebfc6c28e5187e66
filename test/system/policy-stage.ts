import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, Namespace } from './namespace.js';
import { ADDRESS, PINGS, probes, TALKS, VERSIONS, type Version } from './policy-probes.js';
import { must, until } from './processes.js';

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const TALKER = [process.execPath, file('talker.mjs')];
const GATE = { v4: '10.77.0.1', v6: 'fd77::1' };
const MACS = { host: '02:00:00:00:00:01', peer: '02:00:00:00:00:02' };

/** What came of each row, by family: `pass`, `drop`, or what the kernel said. */
export type Outcome = Readonly<Partial<Record<Version, string>>>;

/** A host with a guest behind it, and all others at the other end of its cable. */
export class PolicyStage {
  private constructor(
    readonly host: Namespace,
    readonly peer: Namespace,
    private readonly guest: Namespace,
    private readonly folder: string,
  ) {}

  static async create(): Promise<PolicyStage> {
    const folder = await mkdtemp(join(tmpdir(), 'blocklist-frames-'));
    await must(['gcc', '-O2', '-Wall', '-o', join(folder, 'frames'), file('frames.c')]);
    const [host, peer, guest] = [await Namespace.create(), await Namespace.create(), await Namespace.create()];
    await connect(host, peer);
    await must([
      ...['ip', '-n', host.name, 'link', 'add', 'guests', 'type', 'veth'],
      ...['peer', 'name', 'wire', 'netns', guest.name],
    ]);
    const { listed, out, free, elsewhere } = ADDRESS;
    await host.ip(`link set wire address ${MACS.host}`, 'link set guests up', ...addresses('guests', GATE));
    await host.ip(...addresses('wire', ADDRESS.host));
    await peer.ip(`link set wire address ${MACS.peer}`);
    for (const who of [listed, out, free, elsewhere]) await peer.ip(...addresses('wire', who));
    await guest.ip('link set wire up', ...addresses('wire', ADDRESS.guest));
    for (const version of VERSIONS) {
      // Those who are listed get no answer to their solicitations: the ways are known beforehand.
      for (const { [version]: address } of [listed, out, free, elsewhere]) {
        await host.ip(`neigh replace ${address} lladdr ${MACS.peer} nud permanent dev wire`);
      }
      await host.ip(`route add ${elsewhere[version]} dev wire`);
      const via = ADDRESS.host[version];
      await peer.ip(`neigh replace ${via} lladdr ${MACS.host} nud permanent dev wire`, `route replace ${via} dev wire`);
      await peer.ip(`route add ${ADDRESS.guest[version]} via ${via}`);
      await guest.ip(`route add default via ${GATE[version]}`);
    }
    const forwarding = 'for f in ipv4/ip_forward ipv6/conf/all/forwarding; do echo 1 > /proc/sys/net/$f; done';
    await host.must(['sh', '-c', forwarding]);
    await host.nft(published() + watch());
    const stage = new PolicyStage(host, peer, guest, folder);
    const served = (kind: 'tcp' | 'udp', port: number, ...at: readonly string[]) =>
      at.map((each) => ({ kind, at: each, port }));
    // A datagram is answered from the address that it came to only where the socket has no other.
    const datagrams = Object.values(ADDRESS.host);
    await serve(host, [...served('tcp', 22, '::'), ...served('tcp', 80, '::'), ...served('udp', 53, ...datagrams)]);
    await serve(guest, [...served('tcp', 22, '::'), ...served('tcp', 80, '::')]);
    await serve(peer, [...served('tcp', 7, '::'), ...served('udp', 53, ...Object.values(listed))]);
    return stage;
  }

  /** Opens the sessions, loads, and tells of each row what came of it. */
  async outcomes(load: () => Promise<unknown>): Promise<Map<string, Outcome>> {
    await this.host.must(['conntrack', '-F']);
    const talks = Object.entries(TALKS).flatMap(([what, { from, to, ...talk }]) =>
      VERSIONS.map((version) => ({
        ...{ what: `${version} ${what}`, from: ADDRESS[from][version], to: ADDRESS[to][version], ...talk },
        namespace: from === 'host' ? this.host : from === 'guest' ? this.guest : this.peer,
      })),
    );
    const talkers = [this.host, this.guest, this.peer].map((namespace) => {
      const mine = talks.filter((talk) => talk.namespace === namespace).map(({ namespace: _, ...talk }) => talk);
      return namespace.start([...TALKER, 'talk', JSON.stringify(mine)]);
    });
    try {
      await until('all sessions are open', () => talkers.every(({ output }) => output().startsWith('ready\n')));
      await load();
      for (const { pid } of talkers) process.kill(pid, 'SIGUSR2');
      const others = [...(await this.pinged()), ...(await this.behind())];
      await until('all have asked', () => talkers.every(({ output }) => output().endsWith('}\n')));
      const said = talkers.map(({ output }) => JSON.parse(output().slice('ready\n'.length)) as Record<string, string>);
      const found = new Map<string, Record<string, string>>();
      for (const [key, answer] of [...said.flatMap(Object.entries), ...others]) {
        const what = key.slice('v4 '.length);
        found.set(what, { ...found.get(what), [key.slice(0, 2)]: answer as string });
      }
      return found;
    } finally {
      for (const talker of talkers) await talker.stop();
    }
  }

  private async pinged(): Promise<Array<readonly [string, string]>> {
    const asked = Object.entries(PINGS).flatMap(([what, who]) =>
      VERSIONS.map(async (version) => {
        const { status } = await this.host.run(['ping', '-n', '-c', '1', '-W', '1', ADDRESS[who][version]]);
        return [`${version} ${what}`, status === 0 ? 'pass' : 'drop'] as const;
      }),
    );
    return Promise.all(asked);
  }

  /** Sends the frames, and looks which of them came behind the rules. */
  private async behind(): Promise<Array<readonly [string, string]>> {
    const all = probes();
    await this.host.must(['nft', 'reset', 'counters', 'table', 'inet', 'watch']);
    const lines = all.flatMap(({ frames }) => frames);
    await this.peer.must([join(this.folder, 'frames'), 'wire'], { stdin: `${lines.join('\n')}\n` });
    const text = await this.host.must(['nft', 'list', 'counters', 'table', 'inet', 'watch']);
    return all.map(({ what, version, length, frames }) => {
      const came = Number(new RegExp(`counter c${length}_${version} \\{\\s*packets (\\d+)`).exec(text)?.[1]);
      const isDropped = came === 0 || (what.startsWith('a dozen') && came < frames.length);
      return [
        `${version} ${what}`,
        isDropped ? 'drop' : came === frames.length ? 'pass' : `${came} of ${frames.length}`,
      ];
    });
  }

  async remove(): Promise<void> {
    for (const namespace of [this.guest, this.peer, this.host]) await namespace.remove();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function addresses(device: string, { v4, v6 }: Readonly<Record<Version, string>>): string[] {
  return [`addr add ${v4}/24 dev ${device}`, `addr add ${v6}/64 dev ${device} nodad`];
}

async function serve(namespace: Namespace, list: readonly object[]): Promise<void> {
  const server = namespace.start([...TALKER, 'serve', JSON.stringify(list)]);
  await until('the servers listen', () => server.output().startsWith('ready'));
}

/** Ports 443 and 8080 are those of the guest's ports 80 and 22. */
function published(): string {
  const { v4, v6 } = ADDRESS.guest;
  const to = (port: number, guest: number) => `
    iifname wire ip daddr ${ADDRESS.host.v4} tcp dport ${port} dnat ip to ${v4}:${guest}
    iifname wire ip6 daddr ${ADDRESS.host.v6} tcp dport ${port} dnat ip6 to [${v6}]:${guest}`;
  return `table inet published {
    chain in { type nat hook prerouting priority -100; ${to(443, 80)} ${to(8080, 22)}
    }
  }\n`;
}

/** Counts the frames behind all chains of ours. */
function watch(): string {
  const all = probes();
  const rules = all.map(
    ({ version, length }) =>
      `iifname wire ${version === 'v4' ? 'ip length' : 'ip6 length'} ${version === 'v4' ? length : length - 40} counter name c${length}_${version}`,
  );
  return `table inet watch {
    ${all.map(({ version, length }) => `counter c${length}_${version} { }`).join('\n')}
    chain behind { type filter hook prerouting priority -120; ${rules.join('\n')}
    }
  }\n`;
}
