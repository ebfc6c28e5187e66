import { coversPrefix, type DenseNet, denseNets, FAMILIES, type IpSet, IpSetBuilder } from '../ip/index.js';
import type { Density, Loaded } from '../sources/contract.js';

/** A net that is blocked as a whole because so many of its addresses are listed one by one. */
export interface FromDensity extends DenseNet {
  /** the source whose rule it was, or `all` for the rule over all sources together */
  readonly source: string;
}

/** The rule over all sources, as a source of its own in shares and provenance. */
export const ALL_SOURCES = 'all';

export interface Densified {
  /** the nets, and nothing else */
  readonly set: IpSet;
  readonly nets: readonly FromDensity[];
}

/** The nets of one or more sources that a rule makes, without those that are listed as a whole already. */
export function densify(source: string, { set, nodes }: Pick<Loaded, 'set' | 'nodes'>, rules: Density): Densified {
  const builder = new IpSetBuilder();
  const nets: FromDensity[] = [];
  for (const family of FAMILIES) {
    const rule = family.version === 4 ? rules.v4 : rules.v6;
    if (rule === undefined) continue;
    for (const net of denseNets(nodes.of(family), rule.prefix, rule['at-least'])) {
      if (coversPrefix(set.of(family), net.prefix)) continue;
      builder.addPrefix(net.prefix);
      nets.push({ source, ...net });
    }
  }
  return { set: builder.build(), nets };
}
