import { formatPrefix, type Prefix } from '../ip/index.js';
import { DHCP_ANSWER, NEIGHBOURS } from '../render/only.js';
import { atInterface, icmpType } from '../render/rule.js';

/**
 * The emergency: only some addresses reach SSH. A table of its own, so that neither `apply` nor `unload` nor a rollback touches it. Behind
 * conntrack (−200), which tells answers, and before destination NAT (−100): ports are those that the client connects to.
 */
export interface Lockdown {
  /** who may reach SSH: the fewest blocks, IPv4 first, numeric order */
  readonly allow: readonly Prefix[];
  /** where SSH is served: 1…65535, ascending, at least one */
  readonly ports: readonly number[];
  /** whole seconds until the kernel ends it by itself; undefined: it stands until somebody removes it */
  readonly seconds: number | undefined;
  /** also what this host begins is dropped: only that SSH is left of the network */
  readonly cutOutbound: boolean;
}

const FAMILY = 'inet';
export const LOCKDOWN_TABLE = 'blocklist_lockdown';
/**
 * Set of protocol families, which every way into the rules is asked with: its elements may have a time, after which no way leads into the rules any
 * more. No process of ours is needed for that.
 */
export const ARMED = 'armed';
export const ADMINS = 'admins';
const PRIORITY = -150;
/** How to get rid of it without this program. */
export const LOCKDOWN_EMERGENCY = `nft delete table ${FAMILY} ${LOCKDOWN_TABLE}`;

/** Chains that packets enter by their hook, under the names that nft has for it. */
const HOOKS = { entry: 'prerouting', forwarded: 'forward', outward: 'output' } as const;
/** Chains that are entered by a jump: those that others jump to come first. */
const JUMPED = [ADMINS, 'admins_out', 'inbound', 'outbound'] as const;
type JumpChain = (typeof JUMPED)[number];
export type LockdownChain = keyof typeof HOOKS | JumpChain;

export interface LockdownRule {
  readonly chain: LockdownChain;
  /** nft(8) */
  readonly matches: string;
  readonly verdict: 'accept' | 'drop' | `jump ${JumpChain}`;
}

/** Answers of DHCP servers (RFC 2131; RFC 8415: always from a link-local address). */
const DHCP_IN = [DHCP_ANSWER.text, 'ip6 saddr fe80::/10 udp sport 547 udp dport 546'];
const DHCP_OUT = ['udp sport 68 udp dport 67', 'udp sport 546 udp dport 547'];
/** About connections that are known, above all of the administrators: the path's MTU (RFC 1191, RFC 8201) and ways that are closed. */
const ERRORS = [
  icmpType(4, 'destination-unreachable', 'time-exceeded', 'parameter-problem').text,
  icmpType(6, 'destination-unreachable', 'packet-too-big', 'time-exceeded', 'parameter-problem').text,
].map((text) => `${text} ct state related`);
/** `ct direction`: what somebody else began is established as well. */
const ANSWERS = 'ct state established,related ct direction reply';
/**
 * Where nobody tracked connections before, the kernel takes the next packet of one for its begin (nf_conntrack_tcp_loose): one that
 * this host sends would make everybody who is connected an answerer.
 */
const NO_BEGIN = 'tcp flags & (fin | syn | rst | ack) != syn';

/** All rules, each chain in its order. Addresses and ports stand in rules, not in sets: a fresh set of intervals is empty to packets for some 10 ms. */
export function lockdownRules({ allow, ports, cutOutbound }: Omit<Lockdown, 'seconds'>): LockdownRule[] {
  const accept = (chain: LockdownChain, ...texts: readonly string[]) =>
    texts.map((matches): LockdownRule => ({ chain, matches, verdict: 'accept' }));
  const drop = (chain: LockdownChain, matches = ''): LockdownRule => ({ chain, matches, verdict: 'drop' });
  return [
    ...accept(ADMINS, ...allow.map((prefix) => addressText(prefix, 'saddr'))),
    ...accept('admins_out', ...allow.map((prefix) => addressText(prefix, 'daddr'))),
    ...accept('inbound', atInterface('iifname', 'lo').text),
    ...ports.map((port): LockdownRule => ({ chain: 'inbound', matches: `tcp dport ${port}`, verdict: 'jump admins' })),
    ...accept('inbound', ...ERRORS, NEIGHBOURS.text, ...DHCP_IN, ...(cutOutbound ? [] : [ANSWERS])),
    drop('inbound'),
    ...accept('outbound', atInterface('oifname', 'lo').text),
    ...ports.map(
      (port): LockdownRule => ({ chain: 'outbound', matches: `tcp sport ${port}`, verdict: 'jump admins_out' }),
    ),
    ...(cutOutbound
      ? [...accept('outbound', NEIGHBOURS.text, ...DHCP_OUT), drop('outbound')]
      : [drop('outbound', `${NO_BEGIN} ct state new`)]),
    armed('entry', 'jump inbound'),
    // Both ways, of guests that began as well: a guest may be where the intruder lives.
    armed('forwarded', 'drop'),
    armed('outward', 'jump outbound'),
  ];
}

function armed(chain: LockdownChain, verdict: LockdownRule['verdict']): LockdownRule {
  return { chain, matches: `meta nfproto @${ARMED}`, verdict };
}

function addressText(prefix: Prefix, field: 'saddr' | 'daddr'): string {
  return `${prefix.family.version === 4 ? 'ip' : 'ip6'} ${field} ${formatPrefix(prefix)}`;
}

/**
 * One transaction that puts this lockdown into force, whatever of the table was there: nothing is deleted and made anew, so that who is allowed
 * by both is let through all the while, and nobody else for a moment.
 */
export function lockdownScript(lockdown: Lockdown): string {
  return script(lockdownRules(lockdown), lockdown.seconds);
}

/** Longer than the load that follows it ever takes. */
const PRELUDE_SECONDS = 10;

/**
 * Goes before the first load. With the rules that ask conntrack it begins to track, some moments before they are in force; until they are, this
 * host sends nothing that could be taken for the begin of a connection: without it one of three streams at full speed to a stranger went on
 * for good. It goes by itself should we die in between.
 */
export function preludeScript({ allow, ports }: Pick<Lockdown, 'allow' | 'ports'>): string {
  const rules = lockdownRules({ allow, ports, cutOutbound: false }).flatMap((rule): LockdownRule[] => {
    if (rule.matches.startsWith(NO_BEGIN)) return [{ ...rule, matches: NO_BEGIN }];
    return ['admins_out', 'outbound', 'outward'].includes(rule.chain) ? [rule] : [];
  });
  return script(rules, PRELUDE_SECONDS);
}

function script(rules: readonly LockdownRule[], seconds: number | undefined): string {
  const table = `${FAMILY} ${LOCKDOWN_TABLE}`;
  const hooks = Object.entries(HOOKS);
  const time = seconds === undefined ? '' : ` timeout ${seconds}s`;
  const lines = [
    `add table ${table}`,
    `add set ${table} ${ARMED} { type nf_proto; flags timeout; }`,
    ...hooks.map(
      ([name, hook]) => `add chain ${table} ${name} { type filter hook ${hook} priority ${PRIORITY}; policy accept; }`,
    ),
    ...JUMPED.map((name) => `add chain ${table} ${name}`),
    ...[...Object.keys(HOOKS), ...JUMPED].map((name) => `flush chain ${table} ${name}`),
    `flush set ${table} ${ARMED}`,
    ...rules.map(({ chain, matches, verdict }) => `add rule ${table} ${chain} ${`${matches} ${verdict}`.trim()}`),
    `add element ${table} ${ARMED} { ipv4${time}, ipv6${time} }`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Removes the table, whether or not it is there: somebody may have been faster. */
export const REMOVAL_SCRIPT = `add table ${FAMILY} ${LOCKDOWN_TABLE}\ndelete table ${FAMILY} ${LOCKDOWN_TABLE}\n`;
