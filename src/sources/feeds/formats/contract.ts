import type { IpSet, ListReport } from '../../../ip/index.js';

export interface FormatOptions {
  /** leave out entries whose score is below this; only for formats with a score */
  readonly minScore?: number;
}

/**
 * A way to read the body of a feed. Reads in constant memory but for the entries, never guesses, counts what it
 * refuses. A format is one file, one line in `index.ts`, one fixture in `test/fixtures/formats/NAME/`.
 */
export interface ListFormat {
  readonly name: string;
  /** for `--help` and the README, in one line */
  readonly description: string;
  read(
    chunks: AsyncIterable<Uint8Array>,
    options: FormatOptions,
  ): Promise<{ readonly set: IpSet; readonly report: ListReport }>;
}
