import { afterEach, beforeEach, expect } from 'vitest';
import { factIn } from './host-facts.js';
import { connect, Namespace } from './namespace.js';
import { describeSystem, systemTest, WITHOUT_RIGHTS } from './requirements.js';

interface FlowFact {
  readonly protocol: string;
  readonly source: string;
  readonly destination: string;
  readonly ports?: { readonly source: number; readonly destination: number };
  readonly isReplied: boolean;
  readonly zone?: { readonly direction: string; readonly id: number };
}
type FlowListFact = { isAvailable: true; flows: FlowFact[] } | { isAvailable: false; why: string };

/** Sends one datagram each: `address port` pairs, from port 7000. */
const send = (...targets: ReadonlyArray<readonly [string, number]>) => `
  const dgram = require('node:dgram');
  for (const [host, port] of ${JSON.stringify(targets)}) {
    const socket = dgram.createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', reuseAddr: true });
    socket.bind(7000, () => socket.send('x', port, host, () => socket.close()));
  }
`;
/** Connection tracking starts with the first rule that asks for it. */
const TRACK = `table inet t {
  chain zones { type filter hook output priority -300; udp dport 5 ct zone set 5; udp dport 6 ct original zone set 6; }
  chain track { type filter hook output priority 0; ct state new accept; }
}`;
const shown = ({ protocol, source, destination, ports }: FlowFact) =>
  [protocol, source, ports?.source, destination, ports?.destination].filter((part) => part !== undefined).join(' ');
/** Removes the flows that `test` names, one by one, twice. */
const removed = (test: string) => `(async () => {
  const { flows: found } = await flows((flow) => { const shown = JSON.stringify(flow, text); return ${test}; });
  const answers = [];
  for (const flow of [...found, ...found]) answers.push(await removeFlow(flow));
  return answers;
})()`;

describeSystem('tracked connections', ['root', 'netns', 'ip', 'nft', 'conntrack', 'ping'], () => {
  let host: Namespace;
  let other: Namespace;
  beforeEach(async () => {
    [host, other] = [await Namespace.create(), await Namespace.create()];
    await connect(host, other);
    await host.ip('addr add 10.77.0.1/24 dev wire', 'addr add fd77::1/64 dev wire nodad');
    await other.ip(
      'addr add 10.77.0.2/24 dev wire',
      'addr add 10.77.0.3/24 dev wire',
      'addr add fd77::2/64 dev wire nodad',
    );
    await host.nft(TRACK);
  });
  afterEach(async () => {
    await host.remove();
    await other.remove();
  });

  async function listed(filter = ''): Promise<FlowFact[]> {
    const list = await factIn<FlowListFact>(host, `flows(${filter})`);
    if (!list.isAvailable) throw new Error(list.why);
    return list.flows;
  }

  systemTest('both families and protocols without ports; each is removed alone', [], async () => {
    await host.must([
      process.execPath,
      '-e',
      send(['10.77.0.2', 1], ['10.77.0.2', 2], ['10.77.0.3', 1], ['fd77::2', 1]),
    ]);
    await host.must(['ping', '-c', '1', '10.77.0.2']);
    await host.must(['ping', '-c', '1', 'fd77::2']);
    const all = await listed();
    expect(all.map(shown).sort()).toEqual([
      'icmp 10.77.0.1 10.77.0.2',
      'icmpv6 fd77::1 fd77::2',
      'udp 10.77.0.1 7000 10.77.0.2 1',
      'udp 10.77.0.1 7000 10.77.0.2 2',
      'udp 10.77.0.1 7000 10.77.0.3 1',
      'udp fd77::1 7000 fd77::2 1',
    ]);
    expect(
      all
        .filter(({ isReplied }) => isReplied)
        .map(({ protocol }) => protocol)
        .sort(),
    ).toEqual(['icmp', 'icmpv6']);

    for (const [test, rest] of [
      ["flow.protocol === 'icmp'", 5],
      ["flow.protocol === 'icmpv6'", 4],
      ["shown.includes('fd77::2')", 3],
      ['flow.ports?.destination === 2', 2],
      ["shown.includes('10.77.0.3')", 1],
    ] as const) {
      expect(await factIn(host, removed(test)), test).toEqual(['removed', 'gone']);
      expect(await listed(), test).toHaveLength(rest);
    }
    expect((await listed()).map(shown)).toEqual(['udp 10.77.0.1 7000 10.77.0.2 1']);
  });

  systemTest('equal flows of several zones are kept apart', [], async () => {
    await host.must([process.execPath, '-e', send(['10.77.0.2', 5], ['10.77.0.2', 6])]);
    await host.must(['nft', 'flush', 'chain', 'inet', 't', 'zones']);
    await host.must([process.execPath, '-e', send(['10.77.0.2', 5])]);
    const zones = (all: readonly FlowFact[]) =>
      all.map(({ zone }) => (zone ? `${zone.direction} ${zone.id}` : 'none')).sort();
    expect(zones(await listed())).toEqual(['both 5', 'none', 'original 6']);
    expect(await factIn(host, removed('flow.zone === undefined'))).toEqual(['removed', 'gone']);
    expect(zones(await listed())).toEqual(['both 5', 'original 6']);
    expect(await factIn(host, removed('flow.zone.id === 6'))).toEqual(['removed', 'gone']);
    expect(await factIn(host, removed('true'))).toEqual(['removed', 'gone']);
    expect(await listed()).toEqual([]);
  });

  systemTest('all flows of one address go at once', [], async () => {
    await host.must([
      process.execPath,
      '-e',
      send(['10.77.0.2', 1], ['10.77.0.2', 2], ['10.77.0.3', 1], ['fd77::2', 1]),
    ]);
    const of = (address: string, side: string) => `removeFlowsOf(ip.parsePrefix('${address}'), '${side}')`;
    expect(await factIn(host, of('10.77.0.2', 'source'))).toBe(0);
    expect(await factIn(host, of('10.77.0.2', 'destination'))).toBe(2);
    expect(await factIn(host, of('fd77::1', 'source'))).toBe(1);
    expect((await listed()).map(shown)).toEqual(['udp 10.77.0.1 7000 10.77.0.3 1']);
  });

  systemTest('without the right: said so, not an empty list', ['setpriv'], async () => {
    const code = 'flows().catch((error) => error.code)';
    expect(await factIn(host, code, WITHOUT_RIGHTS)).toBe('no-permission');
  });

  systemTest('without the program: not available, and no failure', ['mountns', 'mount'], async () => {
    // In the mount namespace of `ip netns exec` the folder is empty, and so is what run() looks through.
    const hide = ['sh', '-c', 'mount -t tmpfs none /usr/sbin && exec "$@"', 'sh'];
    const list = await factIn<FlowListFact>(host, 'flows()', hide);
    expect(list).toEqual({ isAvailable: false, why: expect.stringContaining('conntrack') });
  });

  systemTest(
    'a hundred thousand flows: only the wanted ones are kept',
    [],
    async () => {
      const flood = `
      const socket = require('node:dgram').createSocket('udp4');
      let sent = 0;
      const next = () => {
        for (let k = 0; k < 200 && sent < 100_000; k++, sent++) socket.send('', 1 + (sent >> 1), '10.77.0.' + (2 + (sent & 1)));
        if (sent < 100_000) setTimeout(next, 1); else setTimeout(() => socket.close(), 200);
      };
      socket.bind(7000, next);
    `;
      await host.must([process.execPath, '-e', flood]);
      const timed = `(async () => {
      const from = performance.now();
      let seen = 0;
      const { flows: found } = await flows((flow) => { seen++; return flow.ports?.destination === 777; });
      return { ms: performance.now() - from, seen, found };
    })()`;
      const { ms, seen, found } = await factIn<{ ms: number; seen: number; found: FlowFact[] }>(host, timed);
      process.stderr.write(`flows() of ${seen}: ${Math.round(ms)} ms\n`);
      expect(found.map(({ destination }) => destination).sort()).toEqual(['10.77.0.2', '10.77.0.3']);
      expect(seen).toBeGreaterThan(90_000);
      expect(ms).toBeLessThan(10_000);
    },
    240_000,
  );
});
