import { join } from 'node:path';
import type { CrowdsecEntry } from '../config/crowdsec-schema.js';
import type { Config } from '../config/load.js';
import type { Host } from '../doctor/contract.js';
import { EXAMINATIONS, examine } from '../doctor/examinations.js';
import { attempt } from '../doctor/look.js';
import { findingLines, statusOf, tally } from '../doctor/words.js';
import { BlocklistError } from '../errors.js';
import { readLastBuild } from '../report/last-build.js';
import { PLACE } from '../setup/layout.js';
import { sourceProblem } from '../sources/check.js';
import { cachedRanges } from '../sources/ranges.js';
import { type Command, type Context, commandLine, type GlobalOptions, say } from './context.js';
import { findConfig, foldersOf, owners, trustedFiles } from './project.js';

export interface DoctorOptions {
  /** names of examinations */
  readonly only?: readonly string[];
}

/** Examines this host and says what to do. Never writes. */
export const run: Command<DoctorOptions> = async (options, context) => {
  const chosen = chosenExaminations(options);
  const findings = await examine(chosen, await hostOf(options, context));
  if (options.json === true) {
    const data = { schema: 'blocklist/doctor', version: 1, ...tally(findings), findings };
    context.stdout.write(`${JSON.stringify(data)}\n`);
  } else {
    const shown = options.quiet === true ? findings.filter(({ state }) => state !== 'good') : findings;
    context.stdout.write(findingLines(shown));
  }
  const { problems, notes, unknown } = tally(findings);
  say(context, options, `${problems} problems, ${notes} notes, ${unknown} not examined`);
  return statusOf(findings);
};

/** @throws BlocklistError `bad-usage` */
function chosenExaminations({ only = [] }: DoctorOptions) {
  const names = EXAMINATIONS.map(({ name }) => name);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown === undefined) return EXAMINATIONS.filter(({ name }) => only.length === 0 || only.includes(name));
  throw new BlocklistError('bad-usage', `--only ${unknown}: there is no such examination`, {
    where: '--only',
    hint: `one of ${names.join(', ')}`,
  });
}

async function hostOf(options: GlobalOptions, context: Context): Promise<Host> {
  const config = await attempt(() => findConfig(options, context));
  const known = config instanceof BlocklistError ? undefined : config;
  const { cache, state, updateState } = await foldersOf(known, context);
  const last = await attempt(() => readLastBuild(updateState));
  return {
    root: '/',
    uid: context.uid,
    env: context.env,
    now: context.now(),
    self: context.self,
    line: (command) => commandLine(context, options, command),
    config,
    isConfigNamed: options.config !== undefined,
    sources: known && (await sourceProblem(known)),
    folders: { cache, state },
    trust: known === undefined ? [] : await trustOf(known, context),
    lastBuild: last instanceof BlocklistError ? undefined : last?.at,
    tryCrowdsec: (entry) => askedLapi(entry, context),
    proxies: () => (known === undefined ? Promise.resolve([]) : cachedRanges(known, join(cache, 'allow'))),
  };
}

/** Only who has it pays for the HTTP client. */
async function askedLapi(entry: CrowdsecEntry, context: Context) {
  const [{ HttpClient }, { tryCrowdsec }] = await Promise.all([
    import('../io/http.js'),
    import('../sources/bans/crowdsec-trial.js'),
  ]);
  const http = new HttpClient(`blocklist/${context.version}`, context.env);
  try {
    return await tryCrowdsec(entry, http);
  } finally {
    await http.close();
  }
}

/** The units run as root alone, without a sudo caller; a plain user is asked as the caller that sudo would tell. */
function trustOf(config: Config, context: Context) {
  const isOfUnits = config.file === PLACE.config;
  const caller = context.uid === 0 ? owners(context) : { uids: [0, context.uid], gids: [0, process.getgid?.() ?? 0] };
  return trustedFiles(config, isOfUnits ? { uids: [0], gids: [0] } : caller, 'read');
}
