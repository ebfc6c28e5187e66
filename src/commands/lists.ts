import { BlocklistError } from '../errors.js';
import { escapeText } from '../io/escape.js';
import { regularFileChunks } from '../io/read.js';
import { IpSet, type RejectedLine, specialPurpose } from '../ip/index.js';
import { bundledList } from '../sources/feeds/catalogue.js';
import { readLines } from '../sources/feeds/formats/plain.js';

/** What no source may make us block: special-purpose ranges, public resolvers, root servers. */
export async function neverBlock(): Promise<IpSet> {
  return specialPurpose().union(await listOf(bundledList('never-block.txt')));
}

/** A list of ours or of the operator: every line must be readable, since a lost line is a lost protection. @throws BlocklistError `bad-prefix`, `file-unreadable` */
export async function listOf(path: string): Promise<IpSet> {
  const { set, problem } = await readAllowList(path);
  if (problem !== undefined) throw problem;
  return set;
}

/** What can be read of a list, and what is in the way of the rest. */
export async function readAllowList(
  path: string,
): Promise<{ readonly set: IpSet; readonly problem: BlocklistError | undefined }> {
  try {
    const { set, report } = await readLines(regularFileChunks(path), { column: 'none' });
    const [bad] = report.samples;
    return { set, problem: bad && badLine(path, bad) };
  } catch (problem) {
    if (!(problem instanceof BlocklistError)) throw problem;
    return { set: IpSet.empty, problem };
  }
}

function badLine(path: string, { line, reason, text }: RejectedLine): BlocklistError {
  return new BlocklistError('bad-prefix', `${path}:${line}: ${reason}: ${escapeText(text, 60)}`, {
    where: `${path}:${line}`,
    hint: 'mend or remove this line: a list of allowed addresses must be readable as a whole',
  });
}
