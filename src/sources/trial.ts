import { BlocklistError } from '../errors.js';
import { judge, requireNarrow } from './guards.js';
import { type ListReading, readBody } from './list-reading.js';
import type { ReadBody } from './parsed-form.js';

/** What came of reading a body that is not kept. */
export interface Trial {
  readonly where: string;
  readonly bytes: number;
  /** undefined when it could not be read at all */
  readonly content?: ReadBody;
  /** the first guard that trips */
  readonly problem?: BlocklistError;
}

/** Reads a body as an update would, and asks the guards that need no last good. */
export async function tryBody(spec: ListReading, body: Buffer, where: string): Promise<Trial> {
  const facts = { where, bytes: body.length };
  let content: ReadBody | undefined;
  try {
    content = await readBody(spec, body, where);
    judge(content.report, spec.limits, where);
    if (spec.limits.maxCoverage !== undefined) requireNarrow(content.set, spec.limits.maxCoverage, where);
    return { ...facts, content };
  } catch (problem) {
    if (!(problem instanceof BlocklistError)) throw problem;
    return { ...facts, ...(content === undefined ? {} : { content }), problem };
  }
}
