import { z } from 'zod';
import type { Address } from '../ip/index.js';
import { askJson } from './ask.js';
import { interfaceTo } from './routes.js';

/** Through which interface an address is reached, when that is a tunnel. */
export interface TunnelTo {
  readonly device: string;
  /** `wireguard`, `tun`, `ipip`, …: the word of ip-link(8) */
  readonly carrier: string;
}

/** Kinds of interfaces (ip-link(8)) whose packets travel inside others of this host. */
const TUNNELS: ReadonlySet<string> = new Set([
  ...['wireguard', 'tun', 'ipip', 'sit', 'ip6tnl', 'gre', 'gretap', 'ip6gre', 'ip6gretap', 'erspan'],
  ...['vti', 'vti6', 'xfrm', 'ppp', 'vxlan', 'geneve', 'gtp', 'amt', 'bareudp', 'ovpn'],
]);
const linksSchema = z.array(
  z.looseObject({ linkinfo: z.looseObject({ info_kind: z.string().optional() }).optional() }),
);

/** Undefined also where there is no way to the address. @throws BlocklistError `program-missing`, `program-failed` */
export async function tunnelTo(address: Address): Promise<TunnelTo | undefined> {
  const device = await interfaceTo(address);
  if (device === undefined) return undefined;
  const [link] = await askJson(['ip', '-j', '-d', 'link', 'show', 'dev', device], linksSchema);
  const carrier = link?.linkinfo?.info_kind ?? '';
  return TUNNELS.has(carrier) ? { device, carrier } : undefined;
}
