import { BlocklistError } from '../errors.js';
import { ownAddressNames } from './addressed.js';
import { type Bench, examination, type Finding, good, type Host, told } from './contract.js';
import { type Link, type OtherNamespace, readLinks, readOtherNamespaces } from './links.js';
import { attempt, namesIn, wordsOf } from './look.js';

/** Ways past this host on which its prerouting sees nothing. */
export interface UncoveredFacts {
  readonly links: readonly Link[] | BlocklistError;
  /** interfaces with an IP address that can be routed to */
  readonly addressed: ReadonlySet<string>;
  /** br_netfilter hands bridged packets to the rules of IPv4 and IPv6 */
  readonly isBridgeFiltered: boolean;
  readonly others: readonly OtherNamespace[];
  /** all namespaces can be seen */
  readonly seesAll: boolean;
  /** cards with virtual functions, and how many */
  readonly virtualFunctions: ReadonlyMap<string, number>;
}

async function gather({ root, uid }: Host): Promise<UncoveredFacts> {
  const calls = await Promise.all(
    ['iptables', 'ip6tables'].map((name) => wordsOf(root, `/proc/sys/net/bridge/bridge-nf-call-${name}`)),
  );
  const cards = await Promise.all(
    (await namesIn(root, '/sys/class/net')).map(async (name) => {
      return [name, Number.parseInt(await wordsOf(root, `/sys/class/net/${name}/device/sriov_numvfs`), 10)] as const;
    }),
  );
  const addressed = await attempt(ownAddressNames);
  return {
    links: await attempt(() => readLinks()),
    addressed: addressed instanceof BlocklistError ? new Set() : addressed,
    isBridgeFiltered: calls.every((text) => text.trim() === '1'),
    others: uid === 0 ? await readOtherNamespaces(root) : [],
    seesAll: uid === 0,
    virtualFunctions: new Map(cards.filter(([, count]) => count > 0)),
  };
}

export function judgeUncovered(facts: UncoveredFacts, { line }: Bench): Finding[] {
  const { links, others, seesAll, virtualFunctions } = facts;
  const found = [
    ...(links instanceof BlocklistError
      ? [told('links', 'unknown', `interfaces cannot be seen: ${links.message}`, links.hint ?? 'install iproute2')]
      : [...bridges(facts, links), ...switches(links), ...stacked(links), ...xdp(links)]),
    ...[...virtualFunctions].map(([name, count]) =>
      told(
        'sriov',
        'note',
        `${name} has ${count} virtual functions (SR-IOV): what guests get there never passes this host's rules`,
        'run blocklist in those guests',
        name,
      ),
    ),
    ...others.flatMap((other) => namespaces(other, line)),
    ...(seesAll
      ? []
      : [told('namespaces', 'unknown', 'other network namespaces cannot be seen', `sudo ${line('doctor')}`)]),
  ];
  return found.length > 0 ? found : [good('uncovered', 'no way past the rules is known here')];
}

/** What guests are plugged in with; a port of any other kind leads outside. */
const GUEST_PORTS: ReadonlySet<string> = new Set(['veth', 'tun', 'macvtap']);

/** A bridge whose guests this host routes (docker0, virbr0) has an address and no port that leads outside: prerouting sees them. */
function bridges({ addressed, isBridgeFiltered }: UncoveredFacts, links: readonly Link[]): Finding[] {
  if (isBridgeFiltered) return [];
  return links.flatMap(({ name, kind }) => {
    const ports = kind === 'bridge' ? links.filter(({ master }) => master === name) : [];
    const leadsOutside = ports.some((port) => !GUEST_PORTS.has(port.kind ?? 'hardware'));
    const hasGuests = ports.some((port) => GUEST_PORTS.has(port.kind ?? 'hardware'));
    if (!hasGuests || (addressed.has(name) && !leadsOutside)) return [];
    return [
      told(
        'bridges',
        'note',
        `bridge ${name}: bridged guests (${ports.map((port) => port.name).join(', ')}) are not covered`,
        'modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1, or run blocklist in the guests',
        name,
      ),
    ];
  });
}

/** Open vSwitch forwards by itself; no hook of netfilter sees what it does. */
function switches(links: readonly Link[]): Finding[] {
  const found = links.filter(({ kind }) => kind === 'openvswitch').map(({ name }) => name);
  if (found.length === 0) return [];
  const what = `Open vSwitch (${found.join(', ')}) forwards packets of guests past the rules`;
  return [told('bridges', 'note', what, 'run blocklist in the guests, or give them a routed network', 'openvswitch')];
}

const STACKED: ReadonlySet<string> = new Set(['macvlan', 'macvtap', 'ipvlan', 'ipvtap']);

function stacked(links: readonly Link[]): Finding[] {
  return links
    .filter(({ kind }) => STACKED.has(kind ?? ''))
    .map(({ name, kind = '', parent = 'its card' }) =>
      told(
        'macvlan',
        'note',
        kind.endsWith('vtap')
          ? `${name} (${kind} on ${parent}) belongs to a guest: its packets never pass this host's rules`
          : `${name} (${kind} on ${parent}): this host's own packets there are covered, those of guests on ${parent} are not`,
        'run blocklist in those guests, or give them a routed network',
        name,
      ),
    );
}

function xdp(links: readonly Link[]): Finding[] {
  return links
    .filter(({ hasXdp }) => hasXdp)
    .map(({ name }) =>
      told(
        'xdp',
        'note',
        `${name} has an XDP program: what it redirects never passes a rule`,
        `if nobody knows it: ip link set dev ${name} xdp off`,
        name,
      ),
    );
}

/** Kinds that lead to this host or nowhere, so that what passes them is routed here. */
const INWARD: ReadonlySet<string> = new Set(['veth', 'bridge', 'ifb', 'dummy', 'tun', 'netkit', 'vxlan']);

/** A namespace that reaches the world by veth alone is routed here, and covered. */
function namespaces({ name, links }: OtherNamespace, line: Bench['line']): Finding[] {
  if (links instanceof BlocklistError)
    return [
      told(
        'namespaces',
        'unknown',
        `network namespace ${name} cannot be entered: ${links.message}`,
        `sudo ${line('doctor')}`,
        name,
      ),
    ];
  const outward = links.filter(({ kind, isEthernet, isUp }) => isEthernet && isUp && !INWARD.has(kind ?? ''));
  if (outward.length === 0) return [];
  const words = outward.map((link) => `${link.name}${link.kind === undefined ? '' : ` (${link.kind})`}`);
  return [
    told(
      'namespaces',
      'note',
      `network namespace ${name} has a way out of its own: ${words.join(', ')}; rules of this host are not asked there`,
      `load the rules there, too: nsenter or ip netns exec ${name} ${line('apply')}, with a state folder of its own`,
      name,
    ),
  ];
}

export const uncovered = examination('uncovered', { gather, judge: judgeUncovered });
