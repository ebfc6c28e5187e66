import type { RuleSets } from '../build/build.js';
import { type FourSets, type Prefixes, prefixLines, SET_KEYS, type SetKey } from '../ip/index.js';
import { DEFAULT_POLICY } from './default-policy.js';

/**
 * The listed senders in firewalld's own words: an ipset of each kind, and a zone that drops what comes from them (firewalld.ipset(5),
 * firewalld.zone(5)). For hosts where nothing but firewalld may hold rules; a table of our own beside firewalld does more.
 */

/** Name of the zone and begin of the names of ipsets; firewalld allows 17 characters for the one, 31 for the others. */
export const ZONE = 'blocklist';
/** Stands in each file, so that a file of somebody else under the same name is known. */
export const MARK = 'Made by blocklist, which replaces this file.';
/** By default the kernel's ipsets take no more (ipset(8), maxelem). */
const ROOM = 65_536;

export type IpsetName = `${typeof ZONE}-${SetKey}`;

export function ipsetName(key: SetKey): IpsetName {
  return `${ZONE}-${key}`;
}

/** Where the file of an ipset or of the zone stands, below firewalld's folder. */
export const ZONE_FILE = `zones/${ZONE}.xml`;
export const IPSET_FILES = SET_KEYS.map((key) => `ipsets/${ipsetName(key)}.xml`);

/** The sets that become an ipset: those with an address. */
export function usedKeys(sets: FourSets): SetKey[] {
  return SET_KEYS.filter((key) => sets[key].size > 0);
}

/** The files by their names below firewalld's folder. */
export function renderFirewalld(sets: FourSets): Map<string, Buffer> {
  const used = usedKeys(sets);
  return new Map([
    ...used.map((key) => [`ipsets/${ipsetName(key)}.xml`, renderIpset(key, sets[key])] as const),
    [ZONE_FILE, renderZone(used)],
  ]);
}

function renderIpset(key: SetKey, prefixes: Prefixes): Buffer {
  const kind = key.startsWith('nodes') ? 'hash:ip' : 'hash:net';
  const family = key.endsWith('4') ? 'inet' : 'inet6';
  const begin = [
    '<?xml version="1.0" encoding="utf-8"?>',
    `<ipset type="${kind}">`,
    `  <description>${MARK}</description>`,
    `  <option name="family" value="${family}"/>`,
    ...(prefixes.size > ROOM ? [`  <option name="maxelem" value="${prefixes.size}"/>`] : []),
    '',
  ].join('\n');
  const entries = prefixLines(prefixes, { before: '  <entry>', after: '</entry>\n' });
  return Buffer.concat([Buffer.from(begin), entries, Buffer.from('</ipset>\n')]);
}

function renderZone(used: readonly SetKey[]): Buffer {
  const lines = [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<zone target="DROP">',
    `  <description>${MARK}</description>`,
    ...used.map((key) => `  <source ipset="${ipsetName(key)}"/>`),
    '</zone>',
    '',
  ];
  return Buffer.from(lines.join('\n'));
}

/** What rules ask for that a zone of firewalld cannot do, as keys of the configuration; empty when all of it can be said. */
export function beyondFirewalld({ out, only, policy = DEFAULT_POLICY }: RuleSets): string[] {
  const beyond: Array<readonly [isAsked: boolean, key: string]> = [
    [out !== undefined, 'sources with direction: out or both'],
    [only !== undefined, 'sources.countries.only'],
    [policy.ports.length > 0, 'policy.ports'],
    [policy.skipInterfaces.length > 0, 'policy.skip-interfaces'],
    [policy.alsoOutbound, 'policy.also-outbound'],
    [policy.log !== undefined, 'policy.log'],
    [policy.echoLimit !== undefined, 'policy.icmp-echo-limit'],
  ];
  return beyond.filter(([isAsked]) => isAsked).map(([, key]) => key);
}
