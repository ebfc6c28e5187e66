import { BlocklistError } from '../errors.js';
import { sockets } from '../host/sockets.js';
import { formatPrefix, type IpSet, type Prefix } from '../ip/index.js';
import { type Bench, examination, type Finding, good, type Host, told } from './contract.js';
import { attempt } from './look.js';

export interface ProxyFacts {
  /** who is connected to ports 80 and 443 of this host */
  readonly peers: readonly Prefix[] | BlocklistError;
  readonly ranges: ReadonlyArray<{ readonly id: string; readonly set: IpSet }>;
  /** ids of allow.feeds */
  readonly allowed: readonly string[];
}

const WEB_PORTS: ReadonlySet<number> = new Set([80, 443]);

async function gather({ config, proxies }: Host): Promise<ProxyFacts> {
  const feeds = config instanceof BlocklistError ? [] : config.allow.feeds;
  const found = await attempt(sockets);
  const web =
    found instanceof BlocklistError
      ? found
      : found.filter(({ protocol, local }) => protocol === 'tcp' && WEB_PORTS.has(local.port));
  return {
    peers: web instanceof BlocklistError ? web : web.map(({ peer }) => peer.address),
    ranges: await proxies(),
    allowed: feeds.map((entry) => (typeof entry === 'string' ? entry : entry.id)),
  };
}

/** Fewer connections say nothing. */
const ENOUGH = 5;
const MOST = 0.5;

export function judgeProxy({ peers, ranges, allowed }: ProxyFacts, { line }: Bench): Finding[] {
  if (peers instanceof BlocklistError)
    return [
      told('proxy', 'unknown', `who is connected cannot be seen: ${peers.message}`, peers.hint ?? 'install iproute2'),
    ];
  const shares = ranges.map(({ id, set }) => ({ id, count: peers.filter((peer) => set.has(peer)).length }));
  const [top] = shares.sort((a, b) => b.count - a.count);
  if (peers.length >= ENOUGH && top !== undefined && top.count > peers.length * MOST)
    return [behind(`${top.count} of ${peers.length} web connections come from ${top.id}`, top.id, allowed)];
  const single = peers.length >= ENOUGH ? mostCommon(peers) : undefined;
  if (single !== undefined && single.count > peers.length * MOST) {
    const what = `${single.count} of ${peers.length} web connections come from ${single.text}: a proxy or load balancer in front?`;
    const fix = `if so: ${line(`allow ${single.text}`)}, and block visitors on the proxy, as only their proxy is seen here`;
    return [told('proxy', 'note', what, fix)];
  }
  if (allowed.length > 0) return [good('proxy', `${allowed.join(', ')}: always let through, whoever is behind it`)];
  return [good('proxy', `no sign of one in ${peers.length} live web connections, which is no proof`)];
}

function behind(what: string, id: string, allowed: readonly string[]): Finding {
  if (allowed.includes(id)) return good('proxy', `${what}, which is allowed; visitors behind it are not seen here`);
  const fix = `allow: {feeds: [${id}]}, so that no list cuts it off; block visitors on the proxy, as only it is seen here`;
  return told('proxy', 'note', what, fix);
}

function mostCommon(peers: readonly Prefix[]): { readonly text: string; readonly count: number } | undefined {
  const counts = new Map<string, number>();
  for (const peer of peers) {
    const text = formatPrefix(peer);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const [first] = [...counts].sort(([, a], [, b]) => b - a);
  return first === undefined ? undefined : { text: first[0], count: first[1] };
}

export const proxy = examination('proxy', { gather, judge: judgeProxy });
