import { expect } from 'vitest';
import type { Ran } from './processes.js';
import { until } from './processes.js';
import type { WholeHost } from './whole-host.js';

/** A listener in the JSON of `check ports`. */
export interface SeenDoor {
  readonly protocol: string;
  readonly port: number | 'changing';
  readonly scope: string;
  readonly executable: string | null;
  readonly reach: string;
  readonly state: string;
  readonly addresses: readonly string[];
  readonly units: readonly string[];
  readonly openers: readonly SeenProcess[];
  readonly heirs: readonly SeenProcess[];
  readonly close: string | null;
  readonly note: string | null;
}

interface SeenProcess {
  readonly pid: number;
  readonly name: string;
  readonly executable: { readonly path: string; readonly state: string } | null;
  readonly package: string | null;
  readonly commandLine: string;
  readonly user: string | null;
  readonly unit: string | null;
}

export interface SeenFinding {
  readonly code: string;
  readonly severity: string;
  readonly fingerprint: string;
  readonly what: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly suggest: string;
  readonly note?: string;
}

export interface SeenReview {
  readonly status: number;
  readonly complete: boolean;
  readonly baseline: { readonly at: number; readonly by: string } | null;
  readonly listeners: readonly SeenDoor[];
  readonly vanished: ReadonlyArray<{ readonly port: number | 'changing'; readonly executable: string | null }>;
  readonly findings: readonly SeenFinding[];
}

/** What `check ports --json` says on this host. */
export async function reviewOn(host: WholeHost, before: readonly string[] = []): Promise<SeenReview> {
  return reviewIn(await host.blocklist(['check', 'ports', '--json'], before));
}

export function reviewIn({ status, stdout, stderr }: Ran): SeenReview {
  expect(stderr).toBe('');
  const data = JSON.parse(stdout) as SeenReview & { schema: string; version: number };
  expect([data.schema, data.version]).toEqual(['blocklist/check-ports', 1]);
  return { ...data, status };
}

/** The one listener behind this port. */
export function doorAt({ listeners }: SeenReview, port: number | 'changing', protocol = 'tcp'): SeenDoor {
  const found = listeners.filter((each) => each.port === port && each.protocol === protocol);
  expect(found.map(({ executable }) => executable)).toHaveLength(1);
  return found[0] as SeenDoor;
}

/** Opens what is asked of it (`tcp,0.0.0.0,80`, with `,only` behind IPv6 alone), then waits. */
export const LISTEN = `
  use IO::Socket::IP;
  $| = 1;
  for (@ARGV) {
    my ($proto, $host, $port, $only) = split /,/;
    my %listen = $proto eq 'tcp' ? (Listen => 5, ReusePort => 1) : (Type => SOCK_DGRAM);
    push @kept, IO::Socket::IP->new(Proto => $proto, LocalHost => $host, LocalPort => $port, V6Only => $only ? 1 : 0, %listen) or die "$_: $@";
  }
  print "ready $$\\n";
  sleep 1000;
`;
const PERL = '/usr/bin/perl';

/** Somebody who listens on this host: the number of his process in there. */
export async function opened(
  host: WholeHost,
  ends: readonly string[],
  {
    program = PERL,
    before = [],
    script = LISTEN,
  }: { program?: string; before?: readonly string[]; script?: string } = {},
): Promise<number> {
  const started = host.start([...before, program, '-e', script, ...ends]);
  const pid = () => /ready (\d+)\n/.exec(started.output())?.[1];
  await until(`${ends.join(' ')} is open: ${started.output()}`, () => pid() !== undefined);
  return Number(pid());
}

/** Ends processes of the host and waits until they have gone. */
export async function ended(host: WholeHost, ...pids: readonly number[]): Promise<void> {
  await host.must(['kill', ...pids.map(String)]);
  for (const pid of pids) {
    await until(`${pid} has ended`, async () => {
      const { status, stdout } = await host.run(['cat', `/proc/${pid}/status`]);
      return status !== 0 || /^State:\s+Z/m.test(stdout);
    });
  }
}

const CONNECT = `use IO::Socket::IP; exit(IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => $ARGV[1], Timeout => 2) ? 0 : 1)`;

/** Whether a connection of TCP comes about; `from` runs the client. */
export async function isOpen(
  from: { run(argv: readonly string[]): Promise<Ran> },
  address: string,
  port: number,
): Promise<boolean> {
  return (await from.run([PERL, '-e', CONNECT, address, String(port)])).status === 0;
}
