import type { FormatName, FormatOptions } from '../config/formats.js';
import { openBody } from '../io/archive.js';
import { FORMATS } from './feeds/formats/index.js';
import { refuseHtml, type SourceLimits } from './guards.js';
import type { ReadBody } from './parsed-form.js';

/** How bodies of a source are read and judged, wherever they come from. */
export interface ListReading {
  readonly id: string;
  readonly format: FormatName;
  readonly options: FormatOptions;
  /** the file that is meant inside an archive */
  readonly member?: string;
  /** cap on the body, packed and unpacked, in bytes */
  readonly maxBytes: number;
  readonly limits: SourceLimits;
}

/** Opens a body and reads it in its format. @throws BlocklistError when it cannot be opened, is a web page, or something else than its format. */
export async function readBody(spec: ListReading, body: Buffer, where: string): Promise<ReadBody> {
  const { format, options, member, maxBytes: cap } = spec;
  const { bytes, trailing } = await openBody(body, { cap, where, ...(member === undefined ? {} : { member }) });
  refuseHtml(bytes, where);
  return { ...(await FORMATS[format].read(once(bytes), options)), trailing };
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield body;
}
