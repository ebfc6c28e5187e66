import { BlocklistError } from '../../errors.js';
import type { Loaded, Network } from '../contract.js';
import type { KeptBody } from '../kept-part.js';
import type { DatabaseContent, GeoKind } from './contract.js';
import { Database, type DatabaseEnvironment } from './database.js';
import { type DatabaseSpecs, whereOf } from './specs.js';
import { GeoTable } from './table.js';

/** The databases of one kind as one table, and how they were come by. */
export interface OpenTable {
  readonly table: GeoTable;
  /** what it was before, when a database became another one in this run */
  readonly before?: GeoTable;
  readonly state: Loaded['state'];
  /** of the oldest */
  readonly date: number;
  readonly problem?: BlocklistError;
  /** the first database, for messages */
  readonly where: string;
}

/** From the state that tells least of the origin to the one that tells most. */
const STATES: readonly Loaded['state'][] = ['kept', 'not-due', 'unchanged', 'fresh'];

/** All databases of a run. */
export class Databases {
  /** each once, in the order in which they are named */
  readonly all: readonly Database[];
  private readonly byId: ReadonlyMap<string, Database>;
  private readonly opened = new Map<GeoKind, Promise<OpenTable>>();

  constructor(
    private readonly specs: DatabaseSpecs,
    environmentOf: (id: string) => DatabaseEnvironment,
  ) {
    const each = new Set([...specs.country, ...specs.asn]);
    this.all = [...each].map((spec) => new Database(spec, environmentOf(spec.id)));
    this.byId = new Map(this.all.map((database) => [database.id, database]));
  }

  /**
   * The table of a kind. Of several databases the first one that knows an address says what it is.
   * @throws BlocklistError as Database.load for the first that cannot be used: with a part of them, rules would open without a word
   */
  tableOf(kind: GeoKind, network: Network): Promise<OpenTable> {
    const opened = this.opened.get(kind) ?? this.open(kind, network);
    this.opened.set(kind, opened);
    return opened;
  }

  private async open(kind: GeoKind, network: Network): Promise<OpenTable> {
    const loaded = await Promise.all(
      this.specs[kind].map(async (spec) => ({
        where: whereOf(spec),
        body: await this.byId.get(spec.id)?.load(network),
      })),
    );
    const bodies = loaded.flatMap(({ body }) => (body === undefined ? [] : [body]));
    const [first] = loaded;
    const table = laid(
      kind,
      bodies.map(({ content }) => content),
    );
    if (first === undefined || table === undefined) {
      throw new BlocklistError('internal', `no database of the kind ${kind} is named`);
    }
    const isNew = bodies.some(({ before }) => before !== undefined);
    const before = isNew
      ? laid(
          kind,
          bodies.map((body) => body.before ?? body.content),
        )
      : undefined;
    const problem = bodies.find((body) => body.problem !== undefined)?.problem;
    return {
      table,
      ...(before === undefined ? {} : { before }),
      state: stateOf(bodies),
      date: Math.min(...bodies.map(({ date }) => date)),
      ...(problem === undefined ? {} : { problem }),
      where: first.where,
    };
  }
}

function stateOf(bodies: ReadonlyArray<KeptBody<DatabaseContent>>): Loaded['state'] {
  return STATES.find((state) => bodies.some((body) => body.state === state)) ?? 'kept';
}

/** The tables of one kind, the first one on top. */
function laid(kind: GeoKind, contents: readonly DatabaseContent[]): GeoTable | undefined {
  const tables = contents.flatMap(({ tables: { [kind]: table } }) => (table === undefined ? [] : [table]));
  return GeoTable.stacked(tables);
}
