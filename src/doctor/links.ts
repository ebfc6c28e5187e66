import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { askJson } from '../host/ask.js';
import { errnoOf } from '../io/read.js';
import { attempt, namesIn, wordsOf } from './look.js';

/** `ip -j -d link show` (ip-link(8)), as far as it matters here. */
const linkSchema = z.looseObject({
  ifname: z.string().optional(),
  link: z.string().nullish(),
  link_type: z.string().optional(),
  master: z.string().optional(),
  flags: z.array(z.string()).optional(),
  linkinfo: z.looseObject({ info_kind: z.string().optional(), info_slave_kind: z.string().optional() }).optional(),
  xdp: z.looseObject({ mode: z.union([z.number(), z.string()]).optional() }).optional(),
});

export interface Link {
  readonly name: string;
  /** `bridge`, `veth`, `macvlan`; undefined for hardware */
  readonly kind: string | undefined;
  readonly isEthernet: boolean;
  readonly isUp: boolean;
  /** the interface that it is stacked on */
  readonly parent: string | undefined;
  /** the bridge or bond that it belongs to */
  readonly master: string | undefined;
  readonly hasXdp: boolean;
}

/** The interfaces of this network namespace, or of the one that `prefix` leads to. @throws as askJson */
export async function readLinks(prefix: readonly string[] = []): Promise<Link[]> {
  const [program = 'ip', ...rest] = [...prefix, 'ip', '-j', '-d', 'link', 'show'];
  return linksOf(await askJson([program, ...rest], linksSchema));
}

export const linksSchema = z.array(linkSchema);

export function linksOf(answer: z.output<typeof linksSchema>): Link[] {
  return answer.flatMap(({ ifname, link, link_type, master, flags = [], linkinfo, xdp }) => {
    // Before iproute2 5.1 an interface that is left out is printed as {}.
    if (ifname === undefined) return [];
    return [
      {
        name: ifname,
        kind: linkinfo?.info_kind,
        isEthernet: link_type === 'ether',
        isUp: flags.includes('UP'),
        parent: link ?? undefined,
        master,
        hasXdp: xdp !== undefined && xdp.mode !== 0,
      },
    ];
  });
}

export interface OtherNamespace {
  /** name of ip-netns(8), or one of its processes */
  readonly name: string;
  readonly links: readonly Link[] | BlocklistError;
}

/** A host with more containers than this is told about the first ones. */
const MOST = 50;

/**
 * Network namespaces beside ours, found by processes that live in them and by the names that ip-netns(8) gives. Without root's rights
 * only one's own processes are seen.
 */
export async function readOtherNamespaces(root: string): Promise<OtherNamespace[]> {
  const own = await numberOf(join(root, '/proc/self/ns/net'));
  /** number of a namespace → the way to it */
  const found = new Map<number, { readonly path: string; readonly name: string }>();
  for (const name of await namesIn(root, '/run/netns')) await add(join(root, '/run/netns', name), async () => name);
  for (const pid of (await namesIn(root, '/proc')).filter((name) => /^\d+$/.test(name))) {
    const comm = async () => (await wordsOf(root, `/proc/${pid}/comm`)).trim();
    await add(join(root, `/proc/${pid}/ns/net`), async () => `of process ${pid} (${await comm()})`);
  }
  const all = [...found.values()].slice(0, MOST).map(async ({ path, name }) => {
    const links = await attempt(() => readLinks(['nsenter', `--net=${path}`]));
    // Gone meanwhile: nothing to tell.
    const isGone = links instanceof BlocklistError && (await numberOf(path)) === undefined;
    return isGone ? [] : [{ name, links }];
  });
  return (await Promise.all(all)).flat();

  async function add(path: string, name: () => Promise<string>): Promise<void> {
    const number = await numberOf(path);
    if (number === undefined || number === own || found.has(number)) return;
    found.set(number, { path, name: await name() });
  }
}

/** The number of a namespace is that of its inode (namespaces(7)); undefined for what is gone or not ours to see. */
async function numberOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
