import { z } from 'zod';
import { askJson } from '../host/ask.js';

const schema = z.array(
  z.looseObject({
    ifname: z.string().optional(),
    addr_info: z.array(z.looseObject({ scope: z.string().optional() })).optional(),
  }),
);

/** Interfaces of this host with an address that is not link-local. @throws as askJson */
export async function ownAddressNames(): Promise<ReadonlySet<string>> {
  const interfaces = await askJson(['ip', '-j', 'addr', 'show'], schema);
  const isRoutable = ({ addr_info: all = [] }: (typeof interfaces)[number]) =>
    all.some(({ scope }) => scope === 'global');
  return new Set(interfaces.filter(isRoutable).flatMap(({ ifname }) => ifname ?? []));
}
