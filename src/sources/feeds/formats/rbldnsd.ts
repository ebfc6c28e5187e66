import { IpSetBuilder, readList } from '../../../ip/index.js';
import type { ListFormat } from './contract.js';
import { lineFormat } from './text.js';

/**
 * Zones of rbldnsd, data set ip4set: `$` and `:` lines are settings, `!` excludes, short forms are nets (`192.0.2` is a /24), and
 * `:127.0.0.2:text` may follow the address.
 */
export const rbldnsd: ListFormat = {
  name: 'rbldnsd',
  description: 'zones of rbldnsd (ip4set): short forms, ranges and ! exclusions',
  read: async (chunks, options) => {
    const excluded = new IpSetBuilder();
    const format = lineFormat('rbldnsd', '', (_, entries) => (line) => {
      const text = line.trim();
      if (/^[#$:@]/.test(text)) return;
      const isExclusion = text.startsWith('!');
      const [entry = ''] = text
        .slice(isExclusion ? 1 : 0)
        .trim()
        .split(/[\s:]/, 1);
      const written = expanded(entry);
      const left = isExclusion && written !== undefined ? readList(written) : undefined;
      if (written === undefined || left?.report.rejected === 1) entries.reject('not an address', line);
      else if (left === undefined) entries.takeText(written, line);
      else excluded.addSet(left.set);
    });
    const { set, nodes, report } = await format.read(chunks, options);
    const without = excluded.build();
    return { set: set.subtract(without), nodes: nodes.subtract(without), report };
  },
};

/**
 * `192.0.2` → `192.0.2.0/24`; `192.0.2.1-20` → `192.0.2.1-192.0.2.20`; undefined for what is none of rbldnsd's forms, and for a number alone:
 * `503 Service Unavailable` would be a `/8`.
 */
function expanded(entry: string): string | undefined {
  const match = /^((?:\d{1,3}\.){1,3}\d{1,3})(?:-([\d.]+)|(\/\d{1,2}))?$/.exec(entry);
  if (match === null) return undefined;
  const [, address = '', last, length] = match;
  const octets = address.split('.');
  const first = [...octets, '0', '0', '0'].slice(0, 4).join('.');
  if (length !== undefined) return first + length;
  if (last === undefined) return octets.length === 4 ? address : `${first}/${octets.length * 8}`;
  const end = last.split('.');
  if (end.length > octets.length) return undefined;
  // A short end replaces the last of the octets that were written.
  const whole = [...octets.slice(0, Math.max(0, octets.length - end.length)), ...end];
  return `${first}-${[...whole, '255', '255', '255'].slice(0, 4).join('.')}`;
}
