import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { formatAddress, type Prefix } from '../ip/index.js';
import { askJson } from './ask.js';

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
const routesSchema = z.array(z.looseObject({ dev: z.string().optional() }));
const linksSchema = z.array(
  z.looseObject({ linkinfo: z.looseObject({ info_kind: z.string().optional() }).optional() }),
);

/** Undefined also where there is no way to the address. @throws BlocklistError `program-missing` */
export async function tunnelTo({ family, words }: Prefix): Promise<TunnelTo | undefined> {
  try {
    const get = ['ip', '-j', `-${family.version}`, 'route', 'get', formatAddress(family, words)] as const;
    const [route] = await askJson(get, routesSchema);
    if (route?.dev === undefined) return undefined;
    const [link] = await askJson(['ip', '-j', '-d', 'link', 'show', 'dev', route.dev], linksSchema);
    const kind = link?.linkinfo?.info_kind ?? '';
    return TUNNELS.has(kind) ? { device: route.dev, carrier: kind } : undefined;
  } catch (error) {
    // `Network is unreachable`.
    if (error instanceof BlocklistError && error.code === 'program-failed') return undefined;
    throw error;
  }
}
