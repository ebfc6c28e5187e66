import { join } from 'node:path';
import { z } from 'zod';
import type { BlocklistError } from '../errors.js';
import { readWhole } from '../io/read.js';
import { writeAtomic } from '../io/write.js';
import type { Loaded } from '../sources/contract.js';

const schema = z.object({
  version: z.literal(1),
  /** milliseconds since 1970 */
  at: z.number(),
  sources: z.array(
    z.object({
      id: z.string(),
      date: z.number(),
      state: z.string(),
      problem: z.string().optional(),
      code: z.string().optional(),
    }),
  ),
  missing: z.array(z.object({ id: z.string(), problem: z.string(), code: z.string() })),
});
/** What the last build on this host worked with: times change with every run, so they stand here and not in the artefact. */
export type LastBuild = z.output<typeof schema>;

const FILE = 'last-build.json';

export async function writeLastBuild(
  folder: string,
  at: number,
  loaded: ReadonlyArray<Pick<Loaded, 'id' | 'date' | 'state' | 'problem'>>,
  missing: ReadonlyArray<{ readonly id: string; readonly problem: BlocklistError }>,
  before: {
    readonly build: LastBuild | undefined;
    readonly wasAsked: (id: string) => boolean;
    /** what nobody looked at in this run: it is as it was */
    readonly idle: readonly string[];
  },
): Promise<void> {
  const sources = loaded.map(({ id, date, state, problem }) => ({
    id,
    date,
    state,
    // Whom nobody asked in this run fails as it failed before.
    ...(problem === undefined ? (before.wasAsked(id) ? {} : failureOf(id, before.build)) : told(problem)),
  }));
  const lost = missing.map(({ id, problem }) => ({ id, ...told(problem) }));
  const asBefore = <Row extends { readonly id: string }>(rows: readonly Row[] | undefined) =>
    (rows ?? []).filter(({ id }) => before.idle.includes(id));
  const value: LastBuild = {
    version: 1,
    at,
    sources: [...sources, ...asBefore(before.build?.sources)],
    missing: [...lost, ...asBefore(before.build?.missing)],
  };
  await writeAtomic(join(folder, FILE), `${JSON.stringify(value, null, 2)}\n`);
}

function told({ message, code }: BlocklistError) {
  return { problem: message, code };
}

function failureOf(id: string, build: LastBuild | undefined) {
  const { problem, code } = build?.sources.find((source) => source.id === id) ?? {};
  return problem === undefined || code === undefined ? {} : { problem, code };
}

/** undefined when there was no build, or its record is damaged. */
export async function readLastBuild(folder: string): Promise<LastBuild | undefined> {
  const bytes = await readWhole(join(folder, FILE), 1 << 22);
  if (bytes === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(bytes.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
