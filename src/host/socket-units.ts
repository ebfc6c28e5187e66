import { BlocklistError } from '../errors.js';
import { run } from '../io/run.js';
import { singleAddress } from '../ip/index.js';
import type { BoundLine } from './ss.js';

/** A socket that systemd holds for a service (systemd.socket(5)). */
export interface SocketUnit {
  /** `ssh.socket` */
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  /** canonical; `every` for all addresses of one family or both */
  readonly address: string;
  readonly port: number;
}

const PROTOCOLS: Readonly<Record<string, 'tcp' | 'udp'>> = { Stream: 'tcp', Datagram: 'udp' };

/** Reads `systemctl show '*.socket' --property=Id --property=Listen`: a block for each unit, with a line for each of its sockets. */
export function parseSocketUnits(text: string): SocketUnit[] {
  return text.split('\n\n').flatMap((block) => {
    const name = /^Id=([\w:.@\\-]+\.socket)$/m.exec(block)?.[1];
    if (name === undefined) return [];
    return [...block.matchAll(/^Listen=(.*):(\d{1,5}) \((Stream|Datagram)\)$/gm)].map(
      ([, host = '', port, kind = '']): SocketUnit => ({
        name,
        protocol: PROTOCOLS[kind] ?? 'tcp',
        address: addressText(host.replace(/^\[|\]$/g, '')),
        port: Number(port),
      }),
    );
  });
}

function addressText(host: string): string {
  const words = singleAddress(host)?.words;
  return words?.some((word) => word !== 0) === true ? words.join('.') : 'every';
}

/** Whether a unit made this socket. */
export function isOfUnit(
  unit: SocketUnit,
  { protocol, port, address }: Pick<BoundLine, 'protocol' | 'port' | 'address'>,
) {
  const text = address === undefined ? 'every' : address.words.join('.');
  return unit.protocol === protocol && unit.port === port && unit.address === text;
}

/** Those that are loaded; none where systemd does not run. */
export async function socketUnits(): Promise<SocketUnit[]> {
  try {
    const { status, stdout } = await run(['systemctl', 'show', '*.socket', '--property=Id', '--property=Listen']);
    return status === 0 ? parseSocketUnits(stdout.toString('utf8')) : [];
  } catch (error) {
    if (error instanceof BlocklistError) return [];
    throw error;
  }
}
