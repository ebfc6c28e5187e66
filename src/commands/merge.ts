import { BlocklistError, ExitStatus } from '../errors.js';
import { escapeText } from '../io/escape.js';
import { unpacked } from '../io/gzip.js';
import { fileChunks } from '../io/read.js';
import { IpSet, IpSetBuilder, ListReader, type ListReport } from '../ip/index.js';
import { type MergeFormat, summary, writeSet } from '../report/set-output.js';
import { type Command, type Context, type GlobalOptions, say } from './context.js';

export interface MergeOptions {
  readonly files: readonly string[];
  readonly exclude?: readonly string[];
  readonly intersect?: readonly string[];
  readonly family?: 4 | 6;
  readonly format: MergeFormat;
  readonly summary?: boolean;
}

/** Above every list that anyone could mean: 4 GiB of text are some 280 million addresses. */
const UNPACKED_CAP = 2 ** 32;

/** Set algebra as a filter: (union of the files ∩ each --intersect) − each --exclude. */
export const run: Command<MergeOptions> = async (options, context) => {
  const files = options.files.length > 0 ? options.files : ['-'];
  const rejects: Rejects[] = [];
  const read = async (paths: readonly string[]) => {
    const builder = new IpSetBuilder();
    for (const path of paths) rejects.push({ path, report: await readInto(builder, path, context) });
    return builder.build();
  };
  let set = await read(files);
  for (const path of options.intersect ?? []) set = set.intersect(await read([path]));
  if (options.exclude !== undefined) set = set.subtract(await read(options.exclude));
  if (options.family === 4) set = IpSet.of(set.v4, IpSet.empty.v6);
  if (options.family === 6) set = IpSet.of(IpSet.empty.v4, set.v6);
  const rejected = rejects.reduce((total, { report }) => total + report.rejected, 0);
  if (options.summary === true) context.stdout.write(summary(set, options.json === true ? 'json' : 'text', rejected));
  else await writeSet(set, options.format, context.stdout);
  reportRejects(rejects, rejected, context, options);
  return rejected > 0 ? ExitStatus.incomplete : ExitStatus.done;
};

interface Rejects {
  readonly path: string;
  readonly report: ListReport;
}

async function readInto(builder: IpSetBuilder, path: string, { stdin }: Context): Promise<ListReport> {
  const where = path === '-' ? 'standard input' : path;
  const reader = new ListReader(builder);
  try {
    for await (const chunk of unpacked(path === '-' ? stdin : fileChunks(path), UNPACKED_CAP, where))
      reader.push(chunk);
  } catch (error) {
    if (!(error instanceof BlocklistError) || error.where !== undefined) throw error;
    throw new BlocklistError(error.code, `${where}: ${error.message}`, {
      where,
      ...(error.hint && { hint: error.hint }),
    });
  }
  return reader.end();
}

const SHOWN_REJECTS = 5;

function reportRejects(rejects: readonly Rejects[], rejected: number, context: Context, options: GlobalOptions): void {
  if (rejected === 0) return;
  say(
    context,
    options,
    `${rejected} ${rejected === 1 ? 'line' : 'lines'} rejected${rejected > SHOWN_REJECTS ? ', the first:' : ':'}`,
  );
  const lines = rejects.flatMap(({ path, report }) => report.samples.map((sample) => ({ path, ...sample })));
  for (const { path, line, text, reason } of lines.slice(0, SHOWN_REJECTS)) {
    say(context, options, `  ${escapeText(path)}:${line}: ${escapeText(text, 80)} (${reason})`);
  }
}
