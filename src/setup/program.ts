import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { requireTrusted } from '../config/owner.js';
import { BlocklistError } from '../errors.js';
import { errnoOf } from '../io/read.js';

/** Folders that the units cannot see: ProtectHome= and PrivateTmp= hide them (systemd.exec(5)). */
const HIDDEN = ['/home', '/root', '/run/user', '/tmp', '/var/tmp'];

/**
 * How the units call this program: node and its script by their real paths, so that nobody's PATH decides what root runs at night.
 * @throws BlocklistError `program-place` when they are where units cannot see them, `config-owner` when others than root could change them
 */
export async function ownProgram(node: string, script: string): Promise<string[]> {
  const argv = [await realpath(node), await realpath(script)];
  const dist = dirname(argv[1] as string);
  // What the script loads lies beside it and in the package.
  const beside = ['program.cjs', 'program', '../lists', '../node_modules'].map((name) => join(dist, name));
  await requireSafe([...argv, ...beside]);
  return argv;
}

/** The program that a person names with `--program`; it may be that of an image, which is not here. */
export async function namedProgram(path: string, root: string): Promise<string[]> {
  if (!isAbsolute(path)) {
    throw new BlocklistError('bad-usage', `--program ${path}: expected an absolute path`, {
      where: '--program',
      hint: 'systemd and cron start programs by their absolute path',
    });
  }
  if (root === '/') {
    try {
      await requireSafe([path, await realpath(path)]);
    } catch (cause) {
      if (errnoOf(cause) !== 'ENOENT') throw cause;
      throw new BlocklistError('program-place', `there is no ${path}`, {
        where: '--program',
        hint: 'name the installed program, or leave --program out',
        cause,
      });
    }
  }
  return [path];
}

async function requireSafe(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const hidden = HIDDEN.find((folder) => path.startsWith(`${folder}/`));
    if (hidden !== undefined) {
      throw new BlocklistError('program-place', `${path} lies below ${hidden}, which the units cannot see`, {
        where: path,
        hint: 'install the program for the whole system: npm install --global blocklist, with a node below /usr',
      });
    }
  }
  requireTrusted(paths.flatMap(withParents), { uids: [0], gids: [0] });
}

/** Whoever may rename a folder above a file may put another in its place. */
function withParents(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...withParents(parent)];
}
