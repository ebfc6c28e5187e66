import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url));

/** Where the programs of CrowdSec are, once they were fetched. */
export const CROWDSEC_PROGRAMS = join(CACHE, 'crowdsec', 'usr', 'bin');

/**
 * Before the first test: fetches Debian's CrowdSec when it may (root, apt-get), and unpacks it beside the installed packages. It is not installed: its
 * post-install script asks the internet, and where that fails dpkg is left in pieces.
 */
export default function setup(): void {
  const isThere = existsSync(join(CROWDSEC_PROGRAMS, 'crowdsec'));
  if (isThere || process.getuid?.() !== 0 || spawnSync('which', ['apt-get']).status !== 0) return;
  process.stderr.write('fetching for the system tests: crowdsec\n');
  const folder = join(CACHE, 'crowdsec.new');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (program: string, args: readonly string[]) =>
    execFileSync(program, args, { env, cwd: folder, stdio: 'ignore', timeout: 300_000 });
  try {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', 'libsqlite3-0']);
    run('apt-get', ['download', '-qq', 'crowdsec']);
    const [archive = ''] = readdirSync(folder);
    run('dpkg-deb', ['--extract', archive, '.']);
    rmSync(join(folder, archive));
    rmSync(join(CACHE, 'crowdsec'), { recursive: true, force: true });
    renameSync(folder, join(CACHE, 'crowdsec'));
  } catch (error) {
    process.stderr.write(`could not fetch it: ${String(error)}\n`);
  }
}
