import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseConfig, parseKeys } from '../config/load.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { readRegular } from '../io/read.js';
import { trialJson, trialText } from '../report/trial.js';
import { allowFeeds, blockFeeds, customSpecs } from '../sources/configured.js';
import { readCatalogue } from '../sources/feeds/catalogue.js';
import { FetchLog } from '../sources/fetch-log.js';
import { Fetcher } from '../sources/fetcher.js';
import type { PartOrigin } from '../sources/list-part.js';
import type { ListSpec } from '../sources/list-source.js';
import { type Trial, tryBody } from '../sources/trial.js';
import { type Command, type Context, defaultFolder, type GlobalOptions } from './context.js';
import { openProject, type Project } from './project.js';

export interface FeedsTestOptions {
  /** id of a feed or of a source of the configuration, path of a file, or address */
  readonly what: string;
  /** keys of a custom source as YAML: `{format: csv, column: ip}` */
  readonly as?: string;
}

/** Shows what a format makes of a list, and which guards would trip. Changes nothing. */
export const run: Command<FeedsTestOptions> = async ({ what, as, ...options }, context) => {
  const { spec, cache } = await specOf(what, as, options, context);
  const fetcher = new Fetcher(await FetchLog.open(cache), {
    userAgent: `blocklist/${context.version}`,
    env: context.env,
    now: context.now,
    urgency: 'polite',
    deadlineMs: 600_000,
    pauseMs: 1000,
  });
  const trials: Trial[] = [];
  try {
    for (const origin of spec.parts)
      trials.push(await tryBody(spec, await bodyOf(spec, origin, fetcher), whereOf(origin)));
  } finally {
    await fetcher.end();
  }
  if (options.json === true) context.stdout.write(`${JSON.stringify(trialJson(spec, trials))}\n`);
  else context.stdout.write(trials.map((trial) => trialText(spec, trial)).join('\n'));
  return trials.some(({ problem }) => problem !== undefined) ? ExitStatus.differs : ExitStatus.done;
};

function whereOf(origin: PartOrigin): string {
  return origin.kind === 'file' ? origin.path : origin.request.url;
}

async function bodyOf(spec: ListSpec, origin: PartOrigin, fetcher: Fetcher): Promise<Buffer> {
  if (origin.kind === 'file') return readRegular(origin.path, spec.maxBytes);
  const answer = await fetcher.get(origin.request, 'unless-refused', { maxBytes: spec.maxBytes });
  if (answer.kind === 'body') return answer.body;
  throw new BlocklistError('http-failed', 'the server answered 304 to a first request', { where: origin.request.url });
}

interface Found {
  readonly spec: ListSpec;
  readonly cache: string;
}

/** The source that is meant: of the configuration, of the catalogue, a file, or an address. */
async function specOf(what: string, as: string | undefined, options: GlobalOptions, context: Context): Promise<Found> {
  const project = await openProject(options, context).catch((error: unknown) => {
    // A person who only wants to look needs no configuration.
    const isNone = error instanceof BlocklistError && error.code === 'config-missing';
    if (isNone && options.config === undefined) return undefined;
    throw error;
  });
  const cache = project?.cache ?? defaultFolder(context, 'cache');
  const keys = as === undefined ? {} : parseKeys(as);
  const isUrl = /^https?:\/\//.test(what);
  const path = resolve(context.cwd, what);
  const isFile = !isUrl && (await access(path).then(...BOTH));
  if (!isUrl && /^[a-z0-9][a-z0-9-]*$/.test(what)) {
    const found = await ofConfiguration(what, project);
    if (found !== undefined && as === undefined) return { spec: found, cache };
    if (found !== undefined && project !== undefined) {
      throw new BlocklistError('bad-usage', `--as is not for ${what}: its keys stand in the configuration`, {
        where: project.config.file,
        hint: 'change them there, or test the file or address itself',
      });
    }
    if (!isFile) return { spec: await ofCatalogue(what, keys), cache };
  }
  const given = ['id', 'file', 'url'].find((key) => key in keys);
  if (given !== undefined) {
    throw new BlocklistError('bad-usage', `--as:1: expected no key ${given}: the command line names the list`, {
      where: '--as',
      hint: 'leave it out',
    });
  }
  const place = isUrl ? { url: what } : { file: path };
  const config = parseConfig(JSON.stringify({ sources: { custom: [{ id: 'test', ...place, ...keys }] } }), '--as');
  const [spec] = await customSpecs(config);
  if (spec === undefined) throw new BlocklistError('internal', `nothing to test: ${what}`);
  return { spec, cache };
}

const BOTH = [() => true, () => false] as const;

async function ofConfiguration(id: string, project: Project | undefined): Promise<ListSpec | undefined> {
  if (project === undefined) return undefined;
  const { config } = project;
  const catalogue = await readCatalogue();
  const lists = await Promise.all([blockFeeds(config, catalogue), allowFeeds(config, catalogue), customSpecs(config)]);
  return lists.flat().find((spec) => spec.id === id);
}

async function ofCatalogue(id: string, keys: Readonly<Record<string, unknown>>): Promise<ListSpec> {
  const catalogue = await readCatalogue();
  const isAllow = catalogue.feeds.find((feed) => feed.id === id)?.role === 'allow';
  const entry = { feeds: [{ id, ...keys }] };
  const config = parseConfig(JSON.stringify(isAllow ? { allow: entry } : { sources: entry }), 'feeds test');
  const [spec] = await (isAllow ? allowFeeds(config, catalogue) : blockFeeds(config, catalogue));
  if (spec === undefined) throw new BlocklistError('internal', `nothing to test: ${id}`);
  return spec;
}
