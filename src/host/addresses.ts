import { z } from 'zod';
import type { Prefix } from '../ip/index.js';
import { askJson } from './ask.js';
import { reachable } from './single.js';

/** `ip -j addr`; versions differ in what else they print, and print `{}` for an interface that they left out. */
const interfacesSchema = z.array(
  z.looseObject({ addr_info: z.array(z.looseObject({ local: z.string().optional() })).optional() }),
);

/**
 * Every address of this host that another host can send to, deprecated and temporary ones too (RFC 8981): connections may still use
 * them. Addresses on the loopback interface count (anycast, a load balancer's), 127.0.0.0/8 and link-local ones do not.
 * @throws BlocklistError `program-missing`, `program-failed`.
 */
export async function ownAddresses(): Promise<Prefix[]> {
  const interfaces = await askJson(['ip', '-j', 'addr', 'show'], interfacesSchema);
  return reachable(interfaces.flatMap(({ addr_info }) => (addr_info ?? []).flatMap(({ local }) => local ?? [])));
}

const hopSchema = z.looseObject({
  gateway: z.string().optional(),
  /** a next hop of the other family (RFC 5549) */
  via: z.looseObject({ host: z.string() }).optional(),
});
const routesSchema = z.array(
  hopSchema.extend({ dst: z.string().optional(), nhid: z.int().optional(), nexthops: z.array(hopSchema).optional() }),
);
const nexthopsSchema = z.array(
  hopSchema.extend({ id: z.int().optional(), group: z.array(z.looseObject({ id: z.int() })).optional() }),
);
type Hop = z.output<typeof hopSchema>;

function addressesOf({ gateway, via }: Hop): string[] {
  return [gateway, via?.host].filter((text) => text !== undefined);
}

/**
 * The next hops of the default routes in every table, all paths of a multipath route. Link-local ones are left out: no list can hit
 * them. `exact default` keeps the answer short on a router with a million routes.
 * @throws BlocklistError `program-missing`, `program-failed`.
 */
export async function gateways(): Promise<Prefix[]> {
  const found: string[] = [];
  const objects = new Set<number>();
  const families = ['-4', '-6'].map((family) =>
    askJson(['ip', '-j', family, 'route', 'show', 'table', 'all', 'exact', 'default'], routesSchema),
  );
  for (const routes of await Promise.all(families)) {
    for (const route of routes) {
      const hops = [route, ...(route.nexthops ?? [])].flatMap(addressesOf);
      found.push(...hops);
      // With net.ipv4.nexthop_compat_mode=0 the kernel tells only the number of the next hop object.
      if (hops.length === 0 && route.nhid !== undefined) objects.add(route.nhid);
    }
  }
  if (objects.size > 0) found.push(...(await nexthopObjects(objects)));
  return reachable(found);
}

/** See ip-nexthop(8); a group has members, never groups. */
async function nexthopObjects(wanted: ReadonlySet<number>): Promise<string[]> {
  const all = await askJson(['ip', '-j', 'nexthop', 'show'], nexthopsSchema);
  const members = all.filter(({ id }) => id !== undefined && wanted.has(id)).flatMap(({ group }) => group ?? []);
  const ids = new Set([...wanted, ...members.map(({ id }) => id)]);
  return all.filter(({ id }) => id !== undefined && ids.has(id)).flatMap(addressesOf);
}
