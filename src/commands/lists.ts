import { BlocklistError } from '../errors.js';
import { escapeText } from '../io/escape.js';
import { regularFileChunks } from '../io/read.js';
import { IpSet, specialPurpose } from '../ip/index.js';
import { bundledList } from '../sources/feeds/catalogue.js';
import { readLines } from '../sources/feeds/formats/plain.js';

/** What no source may make us block: special-purpose ranges, public resolvers, root servers. */
export async function neverBlock(): Promise<IpSet> {
  return specialPurpose().union(await listOf([bundledList('never-block.txt')]));
}

/** The union of lists of ours or of the operator: every line must be readable, since a lost line is a lost protection. */
export async function listOf(paths: readonly string[]): Promise<IpSet> {
  let all = IpSet.empty;
  for (const path of paths) {
    const { set, report } = await readLines(regularFileChunks(path), { column: 'none' });
    const [bad] = report.samples;
    if (bad !== undefined) {
      throw new BlocklistError('bad-prefix', `${path}:${bad.line}: ${bad.reason}: ${escapeText(bad.text, 60)}`, {
        where: `${path}:${bad.line}`,
        hint: 'mend or remove this line: a list of allowed addresses must be readable as a whole',
      });
    }
    all = all.union(set);
  }
  return all;
}
