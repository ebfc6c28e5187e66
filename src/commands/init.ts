import { access } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseConfig } from '../config/load.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { crowdsecHere } from '../host/crowdsec.js';
import { run as runProgram } from '../io/run.js';
import { writeAtomic } from '../io/write.js';
import { checkAdmin, checkCountry, checkProfile, checkProxy, type Known, sshPeer, words } from '../setup/answers.js';
import { ALLOW_FILE, type Answers, allowText, configText } from '../setup/config-text.js';
import { PLACE } from '../setup/layout.js';
import { requireDone } from '../setup/system-user.js';
import { readCatalogue } from '../sources/feeds/catalogue.js';
import { type Ask, isTerminal, withQuestions } from './ask.js';
import { type Command, type Context, type GlobalOptions, say, shortPath } from './context.js';

export interface InitOptions extends GlobalOptions {
  readonly profile?: string;
  readonly country?: readonly string[];
  readonly admin?: readonly string[];
  readonly proxy?: readonly string[];
  readonly git?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

const DEFAULT_PROFILE = 'server-basic';

interface Decided {
  readonly file: string;
  readonly answers: Answers;
  readonly git: boolean;
}

/** Writes a commented `blocklist.yaml`. Asks on a terminal what no flag says; elsewhere the defaults are taken. */
export const run: Command<InitOptions> = async (options, context) => {
  const known = await knownNames();
  const silent: Ask = async () => '';
  const isAsking = isTerminal(context) && options.yes !== true;
  const decide = (ask: Ask) => decided(options, context, known, ask, isAsking);
  const { file, answers, git } = isAsking ? await withQuestions(context, decide) : await decide(silent);
  const text = configText(answers);
  parseConfig(text, file);
  const allow = join(dirname(file), ALLOW_FILE);
  // Entries of a person are never lost, whatever is forced.
  if (!(await isThere(allow))) await writeAtomic(allow, allowText());
  await writeAtomic(file, text);
  if (git) {
    const argv = ['git', '-C', dirname(file), 'init', '--quiet'] as const;
    requireDone(argv, await runProgram(argv));
  }
  const named = `--config ${shortPath(context, file)}`;
  if (options.json === true) {
    const data = { schema: 'blocklist/init', version: 1, file, allow, ...answers, git };
    context.stdout.write(`${JSON.stringify(data)}\n`);
  }
  say(context, options, `wrote ${shortPath(context, file)} and ${shortPath(context, allow)}`);
  if (answers.admins.length === 0) {
    say(context, options, 'local.admins is empty: put the address you come from there, so that no apply locks you out');
  }
  if (answers.crowdsec !== undefined) {
    say(
      context,
      options,
      `CrowdSec is on this host: ${shortPath(context, file)} has a line for its decisions, commented`,
    );
  }
  const next = file === PLACE.config ? 'install' : `update ${named}`;
  say(context, options, `next: ${context.self} ${next}`);
  return ExitStatus.done;
};

/** What flags say, then what the person answers, then the default, which an empty answer means. */
async function decided(
  options: InitOptions,
  context: Context,
  known: Known,
  ask: Ask,
  isAsking: boolean,
): Promise<Decided> {
  const suggested = context.uid === 0 && isAsking ? PLACE.config : 'blocklist.yaml';
  const file = resolve(
    context.cwd,
    options.config ?? ((await ask(`Where is the configuration to be? [${suggested}] `)) || suggested),
  );
  await requireFree(file, options, context);
  const several = async (flags: readonly string[] | undefined, question: string, fallback: readonly string[]) => {
    if (flags !== undefined) return flags;
    const answer = words(await ask(`${question} [${fallback.join(' ') || 'none'}] `));
    return answer.length === 0 ? fallback : answer.filter((word) => word !== 'none');
  };
  // Each answer is checked before the next question.
  const question = `Profile: ${known.profiles.join(', ')}? [${DEFAULT_PROFILE}] `;
  const profile = checkProfile(known)(options.profile ?? ((await ask(question)) || DEFAULT_PROFILE));
  const countries = (await several(options.country, 'Countries to keep out, like cn ru?', [])).map(checkCountry);
  const peer = sshPeer(context.env);
  const admins = (await several(options.admin, 'Your own addresses, never to be locked out?', peer)).map(checkAdmin);
  const proxyQuestion = 'A CDN or proxy in front of this host, like cloudflare or fastly?';
  const proxies = (await several(options.proxy, proxyQuestion, [])).map(checkProxy(known));
  const git = options.git ?? /^y(es)?$/i.test(await ask('Keep the folder in git, to review changes? [y/N] '));
  const unique = (list: readonly string[]) => [...new Set(list)];
  const asked = { profile, countries: unique(countries), admins: unique(admins), proxies: unique(proxies) };
  // No question: the line is commented.
  return { file, answers: { ...asked, crowdsec: (await crowdsecHere())?.url }, git };
}

async function requireFree(file: string, { force }: InitOptions, context: Context): Promise<void> {
  if (force === true || !(await isThere(file))) return;
  throw new BlocklistError('config-exists', `${shortPath(context, file)} is there already; nothing was changed`, {
    where: file,
    hint: 'edit it, name another with --config FILE, or replace it with --force',
  });
}

async function knownNames(): Promise<Known> {
  const { profiles, feeds } = await readCatalogue();
  const proxies = feeds.filter(({ role, status }) => role === 'allow' && status === 'alive').map(({ id }) => id);
  return { profiles: Object.keys(profiles), proxies };
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
