import { BlocklistError } from '../errors.js';
import { run } from '../io/run.js';
import { formatPrefix, type Prefix } from '../ip/index.js';
import { said } from './ask.js';
import { type Flow, parseFlow, type Zone } from './flow-line.js';

/** The flows, or why there are none to be had: no conntrack program, or a kernel that tracks nothing. Both are usual. */
export type FlowList =
  | { readonly isAvailable: true; readonly flows: readonly Flow[] }
  | { readonly isAvailable: false; readonly why: string };

/** A line has some 150 bytes; what is longer is none. */
const LONGEST_LINE = 1 << 14;
/** 100,000 flows take 0.7 s; large routers keep two million. */
const TIMEOUT_MS = 120_000;
const NO_RIGHT = /Operation not permitted|must be root/;

/**
 * The tracked connections of both families that `isWanted`; the table is read in pieces and only these are kept.
 * @throws BlocklistError `no-permission`, `program-timeout`.
 */
export async function flows(isWanted: (flow: Flow) => boolean = () => true): Promise<FlowList> {
  const found: Flow[] = [];
  const dumps = ['ipv4', 'ipv6'].map((family) =>
    dump(family, (flow) => {
      if (isWanted(flow)) found.push(flow);
    }),
  );
  const why = (await Promise.all(dumps)).find((each) => each !== undefined);
  return why === undefined ? { isAvailable: true, flows: found } : { isAvailable: false, why };
}

/** Hands over the flows of one family, or returns why they cannot be read. */
async function dump(family: string, take: (flow: Flow) => void): Promise<string | undefined> {
  let rest = '';
  const onStdout = (chunk: Buffer): void => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) {
      const flow = parseFlow(line);
      if (flow !== undefined) take(flow);
    }
  };
  const argv = ['conntrack', '-L', '-f', family] as const;
  const result = await conntrack(argv, onStdout);
  if (typeof result === 'string') return result;
  if (result.status === 0) return undefined;
  if (NO_RIGHT.test(result.stderr)) {
    throw new BlocklistError('no-permission', 'the kernel does not let this user see tracked connections', {
      where: argv.join(' '),
      hint: 'run as root, or with CAP_NET_ADMIN',
    });
  }
  return said(result.stderr) || `${argv.join(' ')} ended with status ${result.status}`;
}

async function conntrack(argv: readonly [string, ...string[]], onStdout?: (chunk: Buffer) => void) {
  try {
    return await run(argv, { timeoutMs: TIMEOUT_MS, ...(onStdout === undefined ? {} : { onStdout }) });
  } catch (error) {
    if (error instanceof BlocklistError && error.code === 'program-missing') return error.message;
    throw error;
  }
}

/** `removed`: by us. `gone`: there was none any more. */
export type Removal = 'removed' | 'gone';

/**
 * Forgets one flow; its next packet counts as a new connection. This closes no socket, see closeSocket. A flow without ports or ICMP values is
 * named by its addresses and protocol alone, so all of that protocol between the two go (conntrack 1.4.7 ignores the keys of GRE).
 * conntrack walks the whole table: 0.3 s each in one of 120,000. For many flows of one address see removeFlowsOf.
 * @throws BlocklistError `no-permission`, `program-missing`, `program-failed`.
 */
export async function removeFlow(flow: Flow): Promise<Removal> {
  return (await remove(exactTuple(flow))) > 0 ? 'removed' : 'gone';
}

/**
 * Forgets every flow that this address opened (`source`) or that was opened to it (`destination`), in one walk over the table.
 * Returns their number. @throws as removeFlow.
 */
export async function removeFlowsOf(address: Prefix, side: 'source' | 'destination'): Promise<number> {
  return remove([...familyOf(address), side === 'source' ? '-s' : '-d', formatPrefix(address)]);
}

function familyOf({ family }: Prefix): string[] {
  return ['-f', family.version === 4 ? 'ipv4' : 'ipv6'];
}

/** The options of conntrack(8) that name this flow; zone 0 as well, else an equal flow in another zone would go with it. */
export function exactTuple({ protocolNumber, source, destination, ports, icmp, zone }: Flow): string[] {
  const tuple = ['-p', String(protocolNumber), '-s', formatPrefix(source), '-d', formatPrefix(destination)];
  if (ports !== undefined) tuple.push('--sport', String(ports.source), '--dport', String(ports.destination));
  if (icmp !== undefined) {
    const prefix = source.family.version === 4 ? '--icmp' : '--icmpv6';
    for (const key of ['type', 'code', 'id'] as const) tuple.push(`${prefix}-${key}`, String(icmp[key]));
  }
  return [...familyOf(source), ...tuple, ...zoneOption(zone)];
}

const ZONE_OPTION = { both: '--zone', original: '--orig-zone', reply: '--reply-zone' } as const;

function zoneOption(zone: Zone | undefined): string[] {
  return zone === undefined ? ['--zone', '0'] : [ZONE_OPTION[zone.direction], String(zone.id)];
}

/** conntrack gives up at the first flow that ends between its listing and its deleting; then what is left needs another walk. */
const AGAIN_FOR_MS = 30_000;

/** Deletes what matches; the number of flows. conntrack answers 1 for none, and says so. */
async function remove(filter: readonly string[]): Promise<number> {
  const argv = ['conntrack', '-D', ...filter] as const;
  let lines = 0;
  const onStdout = (chunk: Buffer): void => {
    for (const byte of chunk) if (byte === 0x0a) lines++;
  };
  for (const end = Date.now() + AGAIN_FOR_MS; ; ) {
    const { stderr } = await run(argv, { timeoutMs: TIMEOUT_MS, onStdout });
    // One line for each deleted flow, those of the attempts before included.
    if (/: \d+ flow entries have been deleted/.test(stderr)) return lines;
    if (/conntrack doesn't exist|No such file/.test(stderr) && Date.now() < end) continue;
    throw new BlocklistError(
      NO_RIGHT.test(stderr) ? 'no-permission' : 'program-failed',
      `conntrack failed: ${said(stderr)}`,
      { where: argv.join(' '), hint: 'run as root, or with CAP_NET_ADMIN' },
    );
  }
}
