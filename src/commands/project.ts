import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Config, loadConfig } from '../config/load.js';
import { requireTrusted } from '../config/owner.js';
import { BlocklistError } from '../errors.js';
import { SYSTEM_USER } from '../setup/layout.js';
import { idsOf } from '../setup/system-user.js';
import { type Context, defaultFolder, type GlobalOptions } from './context.js';

/** A configuration with the folders it works in. */
export interface Project {
  readonly config: Config;
  readonly cache: string;
  readonly state: string;
}

const SYSTEM_CONFIG = '/etc/blocklist/blocklist.yaml';

/** Finds and reads the configuration. As root, refuses files that others could change. */
export async function openProject(options: GlobalOptions, context: Context): Promise<Project> {
  const path = options.config ?? (await firstExisting([resolve(context.cwd, 'blocklist.yaml'), SYSTEM_CONFIG]));
  if (path === undefined) {
    throw new BlocklistError('config-missing', `there is no blocklist.yaml here and no ${SYSTEM_CONFIG}`, {
      hint: 'make one with: blocklist init; or name one with --config FILE',
    });
  }
  const config = await loadConfig(resolve(context.cwd, path));
  if (context.uid === 0) await requireOwners(config, context);
  const { env } = context;
  return {
    config,
    cache: env.BLOCKLIST_CACHE_DIR || config.paths.cache || defaultFolder(context, 'cache'),
    state: env.BLOCKLIST_STATE_DIR || config.paths.state || defaultFolder(context, 'state'),
  };
}

/**
 * Files whose content decides what root's firewall does are in trusted hands. The rules may belong to the system user, too: the unprivileged update
 * renders them, and an apply proves everything that it reads of them.
 */
async function requireOwners(config: Config, { env }: Context): Promise<void> {
  const { rules } = config.paths;
  const files = config.sources.custom.flatMap((entry) => ('file' in entry ? [entry.file] : []));
  const sudo = (name: 'SUDO_UID' | 'SUDO_GID') => (/^\d+$/.test(env[name] ?? '') ? [Number(env[name])] : []);
  const [uids, gids] = [
    [0, ...sudo('SUDO_UID')],
    [0, ...sudo('SUDO_GID')],
  ];
  await requireTrusted([config.file, ...config.allow.files, ...files], { uids, gids });
  const user = await idsOf(SYSTEM_USER);
  const renderers = { uids: [...uids, ...(user === undefined ? [] : [user.uid])], gids };
  await requireTrusted([rules, join(rules, 'manifest.json')], renderers);
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
