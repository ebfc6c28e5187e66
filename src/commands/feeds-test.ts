import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseConfig } from '../config/load.js';
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
import { openProject } from './project.js';

export interface FeedsTestOptions {
  /** id of a feed or of a source of the configuration, path of a file, or address */
  readonly what: string;
  /** keys of a custom source as YAML: `{format: csv, column: ip}` */
  readonly as?: string;
}

/** Shows what a format makes of a list, and which guards would trip. Changes nothing. */
export const run: Command<FeedsTestOptions> = async ({ what, as = '{}', ...options }, context) => {
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

/** The source that is meant: of the configuration, of the catalogue, a file, or an address. */
async function specOf(
  what: string,
  as: string,
  options: GlobalOptions,
  context: Context,
): Promise<{ readonly spec: ListSpec; readonly cache: string }> {
  const project = await openProject(options, context).catch((error: unknown) => {
    // A person who only wants to look needs no configuration.
    if (error instanceof BlocklistError && error.code === 'config-missing' && options.config === undefined)
      return undefined;
    throw error;
  });
  const cache = project?.cache ?? defaultFolder(context, 'cache');
  // What is wrong with the keys is told as 'at --as'.
  const file = '--as';
  const isUrl = /^https?:\/\//.test(what);
  if (!isUrl && /^[a-z0-9][a-z0-9-]*$/.test(what)) {
    const catalogue = await readCatalogue();
    const { config } = project ?? { config: parseConfig('{}', file) };
    const named = [
      ...(await blockFeeds(config, catalogue)),
      ...(await allowFeeds(config, catalogue)),
      ...(await customSpecs(config)),
    ];
    const found = named.find(({ id }) => id === what);
    if (found !== undefined) return { spec: found, cache };
    const isThere = await access(resolve(context.cwd, what)).then(
      () => true,
      () => false,
    );
    if (!isThere) {
      const use = catalogue.feeds.find(({ id }) => id === what)?.role === 'allow' ? 'allow' : 'sources';
      const only = parseConfig(JSON.stringify({ [use]: { feeds: [what] } }), file);
      const [spec] = [...(await blockFeeds(only, catalogue)), ...(await allowFeeds(only, catalogue))];
      if (spec !== undefined) return { spec, cache };
    }
  }
  const place = isUrl ? `url: ${JSON.stringify(what)}` : `file: ${JSON.stringify(resolve(context.cwd, what))}`;
  const inner = as.trim().replace(/^\{|\}$/g, '');
  const config = parseConfig(
    `sources: {custom: [{id: test, ${place}${inner.trim() === '' ? '' : `, ${inner}`}}]}`,
    file,
  );
  const [spec] = await customSpecs(config);
  if (spec === undefined) throw new BlocklistError('bad-usage', `nothing to test: ${what}`);
  return { spec, cache };
}
