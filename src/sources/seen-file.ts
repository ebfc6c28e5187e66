import { decodeColumns, encodeColumns } from '../io/columns-file.js';
import { type ColumnsLook, lookingInto } from '../io/columns-look.js';
import { readWhole } from '../io/read.js';
import { writeAtomic } from '../io/write.js';
import { type Address, FAMILIES, type IpSet, type SeenDays, SeenRanges } from '../ip/index.js';

const DAY_MS = 86_400_000;
/** How long what left a list is remembered. */
const KEPT_DAYS = 90;
const CAP = 2 ** 30;
const HEADER = 'seen';
/** of each family: first and last addresses, first and last days */
const COLUMNS = 4;

/** A body of a source, and when it came, in milliseconds since 1970. */
export interface SeenBody {
  readonly set: IpSet;
  readonly at: number;
}

/** Since when, and for what is gone until when, a source has listed its addresses. A damaged file is as good as none. */
export class SeenFile {
  constructor(private readonly path: string) {}

  /**
   * The content of a source became another one. All of `before` was listed until `until`, when its server last confirmed it; without a
   * file it counts as listed since its date.
   */
  async advance(before: (SeenBody & { readonly until?: number }) | undefined, now: SeenBody): Promise<void> {
    const history = (await this.read()) ?? (before && rangesOf(before.set, before.at));
    if (history === undefined) return;
    const advanced = history.map((ranges) => {
      const until =
        before?.until === undefined
          ? ranges
          : ranges.advanced(before.set.of(ranges.family), dayOf(before.until), KEPT_DAYS);
      return until.advanced(now.set.of(ranges.family), dayOf(now.at), KEPT_DAYS);
    });
    const columns = advanced.flatMap(({ lo, hi, first, last }) => [lo, hi, first, last]);
    await writeAtomic(this.path, encodeColumns({ header: HEADER, columns }));
  }

  /**
   * Answers for the addresses of `regions` since when and until when they were listed; `current` is the body that the source has now.
   * @throws BlocklistError `file-unreadable`
   */
  days(current: SeenBody, regions: IpSet): (address: Address) => SeenDays | undefined {
    const history = lookingInto(this.path, (look) => keptIn(look, regions));
    const day = dayOf(current.at);
    if (history === undefined) return (address) => (current.set.has(address) ? { first: day, last: day } : undefined);
    return ({ family, words }) => history.find((ranges) => ranges.family.version === family.version)?.at(words, 0);
  }

  private async read(): Promise<SeenRanges[] | undefined> {
    const bytes = await readWhole(this.path, CAP);
    const { header, columns } = (bytes && decodeColumns(bytes, 'bytes')) ?? {};
    if (columns === undefined || header !== HEADER) return undefined;
    return FAMILIES.map((family, i) => {
      const [lo, hi, first, last] = columns.slice(i * COLUMNS, (i + 1) * COLUMNS);
      const empty = new Uint32Array(0);
      return new SeenRanges(family, lo ?? empty, hi ?? empty, first ?? empty, last ?? empty);
    });
  }
}

/** What the history has of some regions. */
function keptIn(look: ColumnsLook, regions: IpSet): SeenRanges[] | undefined {
  if (look.header !== HEADER || look.sizes.length < COLUMNS * FAMILIES.length) return undefined;
  return FAMILIES.map((family, i) => {
    const column = (k: number) => look.column(i * COLUMNS + k);
    return SeenRanges.touching([column(0), column(1), column(2), column(3)], regions.of(family));
  });
}

function rangesOf(set: IpSet, at: number): SeenRanges[] {
  return FAMILIES.map((family) => SeenRanges.of(set.of(family), dayOf(at)));
}

function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}
