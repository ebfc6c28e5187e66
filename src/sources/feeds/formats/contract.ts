import type { FormatOptions } from '../../../config/formats.js';
import type { IpSet, ListReport } from '../../../ip/index.js';

/** What a body holds. */
export interface ListBody {
  /** all its addresses */
  readonly set: IpSet;
  /** those of them that are listed one by one, not as part of a net or a range */
  readonly nodes: IpSet;
  readonly report: ListReport;
}

/**
 * A way to read the body of a feed. Never guesses, never looks for addresses in free text (an error page holds the reader's own),
 * counts what it refuses. A format is one file, a line in `index.ts` and one in `config/formats.ts`, and a fixture in
 * `test/fixtures/formats/NAME/`.
 */
export interface ListFormat {
  readonly name: string;
  /** for `feeds show` and the page on feeds, in one line */
  readonly description: string;
  /** @throws BlocklistError `source-format` when the body as a whole is something else. */
  read(chunks: AsyncIterable<Uint8Array>, options: FormatOptions): Promise<ListBody>;
}
