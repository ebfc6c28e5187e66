import { readManifest } from '../apply/artefact-store.js';
import { BlocklistError } from '../errors.js';
import { type Bench, examination, type Finding, good, type Host, told } from './contract.js';
import { wordsOf } from './look.js';

export interface Ipv6Facts {
  /** interfaces with an address that the world can reach */
  readonly interfaces: readonly string[];
  /** IPv6 prefixes of the rules; undefined without rules */
  readonly prefixes: number | undefined;
}

async function gather({ root, config }: Host): Promise<Ipv6Facts> {
  const lines = (await wordsOf(root, '/proc/net/if_inet6')).split('\n').map((line) => line.trim().split(/\s+/));
  // if_inet6: address, index, length, scope, flags, name; scope 00 is global. Unique local ones (fc00::/7) do not leave a site.
  const up = lines.filter(([address = '', , , scope]) => scope === '00' && !/^f[cd]/.test(address));
  const manifest = config instanceof BlocklistError ? undefined : await readManifest(config.paths.rules);
  const sizes = Object.entries(manifest?.sets ?? {}).filter(([name]) => name.endsWith('6'));
  return {
    interfaces: [...new Set(up.map((words) => words[5] ?? ''))],
    prefixes: manifest === undefined ? undefined : sizes.reduce((sum, [, { prefixes }]) => sum + prefixes, 0),
  };
}

export function judgeIpv6({ interfaces, prefixes }: Ipv6Facts, _bench?: Bench): Finding[] {
  if (interfaces.length === 0) return [good('ipv6', 'no IPv6 address that the world can reach')];
  if (prefixes === undefined) return [];
  if (prefixes > 0) return [good('ipv6', 'IPv6 is up, and the rules have IPv6 prefixes')];
  return [
    told(
      'ipv6',
      'note',
      'IPv6 is up, and the rules know IPv4 only: whoever comes by IPv6 is not looked at',
      'add a source with IPv6: feeds: [spamhaus-drop-v6], or countries',
      interfaces.join(', '),
    ),
  ];
}

export const ipv6 = examination('ipv6', { gather, judge: judgeIpv6 });
