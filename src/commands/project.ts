import { access } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Config, loadConfig } from '../config/load.js';
import { requireTrusted, type TrustedOwners } from '../config/owner.js';
import { BlocklistError } from '../errors.js';
import { findAccount } from '../io/passwd.js';
import { PLACE, SYSTEM_USER } from '../setup/layout.js';
import { type Context, defaultFolder, type GlobalOptions } from './context.js';

/** A configuration with the folders it works in. */
export interface Project {
  readonly config: Config;
  readonly cache: string;
  readonly state: string;
  /** where the nightly update leaves what it knows: the same folder, or one below it where another user runs it */
  readonly updateState: string;
  /** where `ban` leaves what it knows: the same folder, or the one above it, as seen from the nightly update of another user */
  readonly bansState: string;
}

/** The units give the update a state folder of its own inside that of apply. */
const UPDATE_STATE = basename(PLACE.updateState);

const SYSTEM_CONFIG = '/etc/blocklist/blocklist.yaml';

/**
 * What a command does with the folder of rules. Whoever may change it can put links there: root writes only where it trusts. What root
 * reads from there it proves itself, so the service user that renders at night may own it. A command that reads nothing there, as with rules from
 * git, does not mind whose it is.
 */
export type RulesUse = 'write' | 'read' | 'none';

/** Finds and reads the configuration. As root, refuses files that others could change. */
export async function openProject(
  options: GlobalOptions,
  context: Context,
  rules: RulesUse = 'write',
): Promise<Project> {
  const config = await findConfig(options, context);
  if (context.uid === 0) await requireTrustedFiles(config, context, rules);
  return { config, ...(await foldersOf(config, context)) };
}

/** The configuration, whoever it belongs to. @throws as loadConfig */
export async function findConfig(options: GlobalOptions, context: Context): Promise<Config> {
  const path = options.config ?? (await firstExisting([resolve(context.cwd, 'blocklist.yaml'), SYSTEM_CONFIG]));
  if (path === undefined) {
    throw new BlocklistError('config-missing', `there is no blocklist.yaml here and no ${SYSTEM_CONFIG}`, {
      hint: 'make one with: blocklist init; or name one with --config FILE',
    });
  }
  return loadConfig(resolve(context.cwd, path));
}

/** Where we work, with a configuration or without one. */
export async function foldersOf(config: Config | undefined, context: Context): Promise<Omit<Project, 'config'>> {
  const state = stateOf(config, context);
  return {
    // Absolute, as programs that run later in another folder read from it.
    cache: resolve(
      context.cwd,
      context.env.BLOCKLIST_CACHE_DIR || config?.paths.cache || defaultFolder(context, 'cache'),
    ),
    state,
    updateState: (await firstExisting([join(state, UPDATE_STATE)])) ?? state,
    bansState: basename(state) === UPDATE_STATE ? await aboveIfUsed(state) : state,
  };
}

/** The folder above, where `ban` was used there. */
async function aboveIfUsed(state: string): Promise<string> {
  const above = dirname(state);
  return (await firstExisting([join(above, 'local.json')])) === undefined ? state : above;
}

function stateOf(config: Config | undefined, context: Context): string {
  // Absolute, as programs that run later in another folder read from it.
  return resolve(
    context.cwd,
    context.env.BLOCKLIST_STATE_DIR || config?.paths.state || defaultFolder(context, 'state'),
  );
}

/** The state folder for commands of an emergency: they work with a configuration that is broken or gone, too. */
export async function stateFolder(options: GlobalOptions, context: Context): Promise<string> {
  try {
    return (await openProject(options, context, 'none')).state;
  } catch (error) {
    if (error instanceof BlocklistError && options.config === undefined) return stateOf(undefined, context);
    throw error;
  }
}

async function requireTrustedFiles(config: Config, context: Context, use: RulesUse): Promise<void> {
  for (const { paths, theirs } of await trustedFiles(config, owners(context), use)) requireTrusted(paths, theirs);
}

/** Files whose content decides what root's firewall does, and whose they may be. */
export async function trustedFiles(config: Config, ours: TrustedOwners, use: RulesUse) {
  const { custom, bans, fail2ban } = config.sources;
  const { country = [], asn = [] } = config.geo;
  const files = [...custom, ...bans, ...country, ...asn].flatMap((entry) => ('file' in entry ? [entry.file] : []));
  const database = fail2ban?.database === undefined ? [] : [fail2ban.database];
  const decisive = { paths: [config.file, ...config.allow.files, ...files, ...database], theirs: ours };
  if (use === 'none') return [decisive];
  const { rules } = config.paths;
  const service = use === 'read' ? await findAccount(({ name }) => name === SYSTEM_USER) : undefined;
  const theirs =
    service === undefined ? ours : { uids: [...ours.uids, service.uid], gids: [...ours.gids, service.gid] };
  return [decisive, { paths: [rules, join(rules, 'manifest.json')], theirs }];
}

/** Whom root trusts: itself and the sudo caller. */
export function owners({ env }: Context) {
  const ids = (name: 'SUDO_UID' | 'SUDO_GID') => [0, ...(/^\d+$/.test(env[name] ?? '') ? [Number(env[name])] : [])];
  return { uids: ids('SUDO_UID'), gids: ids('SUDO_GID') };
}

async function firstExisting(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      await access(path);
      return path;
    } catch {
      // Not there or not ours to read: the next place.
    }
  }
  return undefined;
}
