import { loadConfig } from '../config/load.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { INCLUDE_LINES } from '../setup/cron.js';
import { ACTION_FILE } from '../setup/fail2ban.js';
import { below, PLACE } from '../setup/layout.js';
import { type Found, findFiles, installSteps, wantedFiles } from '../setup/plan.js';
import { namedProgram, ownProgram } from '../setup/program.js';
import { removalSteps } from '../setup/removal.js';
import { dropIns, enableSteps, mannerOf, remainingInImage } from '../setup/systemd.js';
import type { Manner } from '../setup/written-files.js';
import { type Command, type Context, say } from './context.js';
import { requireRoot, requireUnedited, rootOf, type SetUpOptions, showAndDo } from './set-up.js';

export interface InstallOptions extends SetUpOptions {
  readonly cron?: boolean;
  readonly program?: string;
}

/** Makes the nights run by themselves: services and timers, or cron; the system user; the folders. Shows what it will do first. */
export const run: Command<InstallOptions> = async (options, context) => {
  requireRoot('install', options, context);
  const root = rootOf(options, context);
  const manner = options.cron === true ? 'cron' : await mannerOf(root);
  const program = await programOf(options, root);
  const isConfigured = await requireFittingConfig(options, root);
  const found = await findFiles(root);
  const files = await wantedFiles(manner, program, root);
  const wanted = new Map(files.map(({ path, text }) => [path, text]));
  const changed = found.filter(({ path, origin, text }) => {
    return (origin === 'edited' || origin === 'foreign') && wanted.has(path) && wanted.get(path) !== text;
  });
  requireUnedited(changed, 'install', options);
  // The other manner's files would run every night a second time.
  const other = found.filter(({ path, origin }) => origin === 'ours' && !wanted.has(path));
  const isHere = root === '/' && manner === 'systemd';
  const own = await installSteps(manner, program, root, found);
  const canTell = root === '/' && (await mannerOf(root)) === 'systemd';
  const steps = [
    ...(await removalSteps(other, { purge: false, root, canTell })),
    ...own,
    ...(isHere ? await enableSteps(own) : []),
  ];
  if (steps.length === 0) say(context, options, 'nothing to do: everything is installed');
  else if (!(await showAndDo('install', steps, options, context))) return ExitStatus.done;
  if (wanted.has(ACTION_FILE)) say(context, options, ACTION_REMARK);
  for (const line of await remarks(manner, root, found, isConfigured, context)) say(context, options, line);
  return ExitStatus.done;
};

function programOf({ program }: InstallOptions, root: string): Promise<string[]> {
  return program === undefined ? ownProgram(process.execPath, process.argv[1] ?? '') : namedProgram(program, root);
}

/**
 * The services work with the folders that systemd gives them: a configuration that names others would fail every night.
 * @throws BlocklistError `config-invalid`, `bad-usage`
 */
async function requireFittingConfig({ config: named }: InstallOptions, root: string): Promise<boolean> {
  if (named !== undefined && named !== PLACE.config) {
    throw new BlocklistError('bad-usage', `--config ${named}: the services read ${PLACE.config}`, {
      where: '--config',
      hint: `put the file there, with its lists beside it`,
    });
  }
  try {
    const { paths, file } = await loadConfig(below(root, PLACE.config));
    const { rules, cache = PLACE.cache, state = PLACE.state } = paths;
    if (rules === below(root, PLACE.rules) && cache === PLACE.cache && state === PLACE.state) return true;
    throw new BlocklistError('config-invalid', `${file}: paths: the services may write their own folders only`, {
      where: file,
      hint: `leave paths out: rules are in ${PLACE.rules}, lists in ${PLACE.cache}, state in ${PLACE.state}`,
    });
  } catch (error) {
    if (error instanceof BlocklistError && error.code === 'config-missing') return false;
    throw error;
  }
}

async function remarks(
  manner: Manner,
  root: string,
  found: readonly Found[],
  isConfigured: boolean,
  { self }: Context,
): Promise<string[]> {
  const lines: string[] = [];
  if (root !== '/') lines.push(...remainingInImage(manner, root).map((command) => `remains: ${command}`));
  for (const folder of root === '/' ? await dropIns(found) : []) lines.push(`kept: your drop-ins in ${folder}`);
  if (manner === 'cron') {
    lines.push('to load the rules at boot, put this at the END of /etc/nftables.conf:', ...INCLUDE_LINES);
  }
  if (!isConfigured) lines.push(`next: ${self} init --config ${below(root, PLACE.config)}`);
  else if (root === '/') lines.push(`next: ${FIRST_RUN[manner]}`);
  return lines;
}

const ACTION_REMARK = `to ban at once what fail2ban bans: banaction = blocklist under [DEFAULT] of /etc/fail2ban/jail.local`;

const FIRST_RUN: Readonly<Record<Manner, string>> = {
  systemd: 'systemctl start blocklist-update.service, or wait for the night',
  cron: 'wait for the night, or run the two commands of /etc/cron.d/blocklist by hand',
};
