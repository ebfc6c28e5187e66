import { BlocklistError } from '../errors.js';
import { BOOT_UNIT } from '../setup/boot-unit.js';
import { INCLUDE_LINES } from '../setup/cron.js';
import { PLACE } from '../setup/layout.js';
import { type Bench, examination, type Finding, good, type Host, told } from './contract.js';
import { attempt, DENIED, type Denied, isThere, namesIn, textOf, wordsOf } from './look.js';
import { type Ruleset, readRuleset } from './ruleset.js';

export interface FirewallFacts {
  readonly ruleset: Ruleset | BlocklistError;
  /** tables of iptables-legacy and ip6tables-legacy that are in use */
  readonly legacy: readonly string[] | Denied;
  readonly isUfwEnabled: boolean;
  /** what nftables.service loads */
  readonly nftablesConf: string;
  readonly isNftablesServiceEnabled: boolean;
  readonly isBootUnitEnabled: boolean;
}

const NFTABLES_CONF = '/etc/nftables.conf';

async function gather({ root }: Host): Promise<FirewallFacts> {
  const legacy = await Promise.all(['ip', 'ip6'].map((family) => textOf(root, `/proc/net/${family}_tables_names`)));
  const wants = (await namesIn(root, PLACE.units)).filter((name) => name.endsWith('.wants'));
  const levels = (await namesIn(root, '/etc/runlevels')).map((name) => `/etc/runlevels/${name}`);
  const linked = async (name: string) => {
    const folders = [...wants.map((each) => `${PLACE.units}/${each}`), ...levels];
    return (await Promise.all(folders.map((folder) => isThere(root, `${folder}/${name}`)))).some(Boolean);
  };
  return {
    ruleset: await attempt(readRuleset),
    legacy: legacy.includes(DENIED)
      ? DENIED
      : legacy.flatMap((each) => (typeof each === 'object' ? each.text.split('\n').filter(Boolean) : [])),
    isUfwEnabled: /^ENABLED=yes$/m.test(await wordsOf(root, '/etc/ufw/ufw.conf')),
    nftablesConf: await wordsOf(root, NFTABLES_CONF),
    isNftablesServiceEnabled: (await linked('nftables.service')) || (await linked('nftables')),
    isBootUnitEnabled: await linked(BOOT_UNIT),
  };
}

/** How others are known by their tables and chains. */
const OTHERS: ReadonlyMap<string, RegExp> = new Map([
  ['firewalld', /^(inet|ip6?) firewalld/],
  ['ufw', / ufw6?-/],
  ['Docker', / DOCKER|docker-bridges/],
  ['Podman', / NETAVARK| netavark| CNI-/],
  ['Kubernetes', / KUBE-| kube-proxy/],
  ['Calico', / cali-| calico/],
  ['Cilium', / CILIUM_/],
  ['libvirt', / LIBVIRT_| libvirt_network/],
  ['fail2ban', / f2b-/],
  ['CrowdSec', / crowdsec/i],
  ['sshguard', / sshguard/],
  ['Tailscale', / ts-(input|forward|postrouting)/],
  ['foomuuri', / foomuuri/],
]);

export function judgeFirewalls(facts: FirewallFacts, { line, self }: Bench): Finding[] {
  return [...judgeFlush(facts, self), ...judgeLegacy(facts, line), ...judgeRuleset(facts, line)];
}

function judgeRuleset({ ruleset, isUfwEnabled }: FirewallFacts, line: Bench['line']): Finding[] {
  if (ruleset instanceof BlocklistError)
    return [
      told(
        'firewalls',
        'unknown',
        `other firewalls cannot be seen: ${ruleset.message}`,
        ruleset.code === 'program-missing' ? (ruleset.hint ?? 'install nftables') : `sudo ${line('doctor')}`,
      ),
    ];
  const names = [...ruleset.tables, ...ruleset.chains];
  const found = [...OTHERS].filter(([, pattern]) => names.some((name) => pattern.test(name))).map(([name]) => name);
  if (isUfwEnabled && !found.includes('ufw')) found.push('ufw');
  const beside = found.map((name) =>
    told(
      'firewalls',
      'note',
      `${name} is here; we work beside it: ours drops first, and what ours lets through is still its to judge`,
      `nothing to do; to see both: nft list ruleset`,
      name,
    ),
  );
  const offload = ruleset.flowtables.map((name) =>
    told(
      'flowtable',
      'problem',
      `flowtable ${name}: forwarded connections that it took over pass no rule until they end, listed or not`,
      'take the rule with flow add out of that firewall; after a ban, conntrack -F ends what it took over',
      name,
    ),
  );
  return beside.length + offload.length > 0
    ? [...beside, ...offload]
    : [good('firewalls', 'no other firewall is known here')];
}

function judgeLegacy({ legacy }: FirewallFacts, line: Bench['line']): Finding[] {
  if (legacy === DENIED)
    return [told('iptables-legacy', 'unknown', 'rules of iptables-legacy cannot be seen', `sudo ${line('doctor')}`)];
  if (legacy.length === 0) return [];
  const what = `iptables-legacy has tables (${[...new Set(legacy)].join(', ')}): ours drops first, but nft list ruleset does not show them`;
  return [
    told(
      'iptables-legacy',
      'note',
      what,
      'nothing to do; to have one firewall: update-alternatives --set iptables /usr/sbin/iptables-nft',
    ),
  ];
}

/** Whoever flushes everything takes our rules along: then something must load them again behind it. */
function judgeFlush(facts: FirewallFacts, self: string): Finding[] {
  const { nftablesConf, isNftablesServiceEnabled, isBootUnitEnabled } = facts;
  const lines = nftablesConf.split('\n').map((each) => each.replace(/#.*/, '').trim());
  const flush = lines.findLastIndex((each) => /^flush\s+ruleset\b/.test(each));
  if (flush < 0 || !isNftablesServiceEnabled) return [];
  const isIncluded = INCLUDE_LINES.every((each) => lines.indexOf(each, flush) > flush);
  if (isBootUnitEnabled || isIncluded)
    return [good('nftables-flush', 'nftables.service flushes everything; ours is loaded again behind it')];
  return [
    told(
      'nftables-flush',
      'problem',
      'nftables.service begins with flush ruleset: its restart or reload takes our rules away',
      `sudo ${self} install; without systemd, at the end of ${NFTABLES_CONF}: ${INCLUDE_LINES.join(' and ')}`,
      `${NFTABLES_CONF}:${flush + 1}`,
    ),
  ];
}

export const firewalls = examination('firewalls', { gather, judge: judgeFirewalls });
