import { join } from 'node:path';
import { BlocklistError } from '../errors.js';
import { Damaged } from '../io/columns-look.js';
import { type FileLooker, readRegular } from '../io/read.js';
import { type Address, entryOf, IpSet, type Prefix, partIn, type SeenDays } from '../ip/index.js';
import type { Density } from './contract.js';
import type { HeldPart, Holding, NamedSource } from './holding.js';
import { LastGood } from './last-good.js';
import { readBody } from './list-reading.js';
import type { ListSpec } from './list-source.js';
import { type BodySets, LIST_FORM, lookIntoBody } from './parsed-form.js';
import { SeenFile } from './seen-file.js';

/** Where the last update left what it knows of lists. */
export interface KeptFolders {
  /** folder of all lists */
  readonly cache: string;
  /** folder of the histories */
  readonly seen: string;
}

/** How a list is read, for one whose parsed form is not there: the package ships it, or its file is damaged. Undefined for a list that is configured no more. */
export type SpecOf = (id: string) => Promise<ListSpec | undefined>;

/** What it takes to look into lists. */
export interface KeptPlace {
  readonly folders: KeptFolders;
  readonly specOf: SpecOf;
  /** what questions will be about; of the rest nothing is kept in memory */
  readonly regions: IpSet;
  readonly looker: FileLooker;
}

interface KeptPart {
  readonly content: BodySets;
  readonly daysOf: Holding['daysOf'];
}

const DAY_MS = 86_400_000;
/** More parts than any list has. */
const MOST_PARTS = 10_000;

/**
 * A list as it is kept: a body, or one for each of its addresses.
 * @throws BlocklistError `source-never-fetched`, `file-unreadable`, and as readBody for a body of which the parsed form is gone
 */
export async function keptList(named: NamedSource, density: Density | undefined, place: KeptPlace): Promise<Holding> {
  const parts: KeptPart[] = [];
  for (let i = 0; i < MOST_PARTS; i++) {
    const part = await keptPart(named.id, i, place);
    if (part === undefined) break;
    parts.push(part);
  }
  if (parts.length === 0) {
    throw new BlocklistError(
      'source-never-fetched',
      'what it holds is not known on this host: it was never fetched here',
      {
        where: named.id,
        hint: 'ask where the rules are built, or run blocklist update here',
      },
    );
  }
  return new KeptList(named, density, parts);
}

async function keptPart(
  id: string,
  i: number,
  { folders: { cache, seen }, specOf, regions, looker }: KeptPlace,
): Promise<KeptPart | undefined> {
  const name = i === 0 ? id : `${id}.${i + 1}`;
  const lastGood = new LastGood(join(cache, name), LIST_FORM);
  const kept = lastGood.look(looker, (parsed) => lookIntoBody(parsed, regions));
  if (kept === undefined) return i === 0 ? bundledPart(await specOf(id)) : undefined;
  const { meta } = kept;
  const content = kept.content ?? (await readAgain(await lastGood.bodyOf(meta), await specOf(id)));
  if (content === undefined) {
    throw new Damaged(join(cache, name));
  }
  return {
    content,
    daysOf: new SeenFile(join(seen, name)).days({ set: content.set, at: meta.changed }, regions),
  };
}

async function readAgain(body: Buffer | undefined, spec: ListSpec | undefined): Promise<BodySets | undefined> {
  return body === undefined || spec === undefined ? undefined : readBody(spec, body, spec.id);
}

async function bundledPart(spec: ListSpec | undefined): Promise<KeptPart | undefined> {
  const [origin] = spec?.parts ?? [];
  if (spec === undefined || origin?.kind !== 'url' || origin.snapshot === undefined) return undefined;
  const { path, date } = origin.snapshot;
  const content = await readBody(spec, await readRegular(path, spec.maxBytes), path);
  return { content, daysOf: ofBody(content.set, date) };
}

/** Of a list that has no history: all of it since its date. */
function ofBody(set: IpSet, date: number): KeptPart['daysOf'] {
  const day = Math.floor(date / DAY_MS);
  return (address) => (set.has(address) ? { first: day, last: day } : undefined);
}

class KeptList implements Holding {
  readonly id: string;
  readonly kind: Holding['kind'];
  readonly direction: Holding['direction'];

  constructor(
    { id, kind, direction }: NamedSource,
    readonly density: Density | undefined,
    private readonly parts: readonly KeptPart[],
  ) {
    this.id = id;
    this.kind = kind;
    this.direction = direction;
  }

  partOf(block: Prefix): HeldPart | undefined {
    const cuts = this.parts.map(({ content }) => ({ set: partIn(content.set, block), nodes: content.nodes }));
    const held = cuts.filter(({ set }) => !set.isEmpty);
    if (held.length === 0) return undefined;
    return {
      set: IpSet.unionOf(held.map(({ set }) => set)),
      nodes: IpSet.unionOf(held.map(({ nodes }) => partIn(nodes, block))),
    };
  }

  entryOf(block: Prefix): Prefix | undefined {
    const found = this.parts.map(({ content }) => entryOf(content.set, block));
    return found.filter((entry) => entry !== undefined).sort((a, b) => a.length - b.length)[0];
  }

  daysOf(address: Address): SeenDays | undefined {
    const days = this.parts.map((part) => part.daysOf(address)).filter((each) => each !== undefined);
    if (days.length === 0) return undefined;
    return { first: Math.min(...days.map(({ first }) => first)), last: Math.max(...days.map(({ last }) => last)) };
  }

  detailsOf(): readonly string[] {
    return [];
  }
}
