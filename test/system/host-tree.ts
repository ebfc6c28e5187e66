import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Ran, run } from './processes.js';
import { CLI } from './requirements.js';

/**
 * Commands that take this host for their own: /etc, /var, /usr/local and /run/systemd are overlays of the real ones, in a mount and network namespace of
 * their own, kept in `folder` from one command to the next. What they write, remove or chown stays in there. Every mount is checked before a
 * command runs: without them it would be the real host that is changed.
 */
const ENTER = `set -eu
folder=$1; shift
for place in etc var usr/local; do
  mkdir -p "$folder/$place/upper" "$folder/$place/work"
  mount -t overlay overlay -o "lowerdir=/$place,upperdir=$folder/$place/upper,workdir=$folder/$place/work" "/$place"
  test "$(stat -f -c %T "/$place")" = overlayfs
done
mount --bind "$folder/run-systemd" /run/systemd
mount --bind "$folder/systemctl" /usr/bin/systemctl
cmp -s "$folder/systemctl" /usr/bin/systemctl
ip link set lo up
exec "$@"`;

/** Writes down what it is asked, and answers as if everything were enabled once it was told to enable anything. */
const SYSTEMCTL = `#!/bin/sh
log=/var/log/systemctl-asked
echo "$*" >> "$log"
case $1 in
  is-enabled | is-active) grep -q '^enable' "$log" && ! grep -q '^disable' "$log" ;;
esac
`;

export class HostTree {
  private constructor(readonly folder: string) {}

  /** A host on which systemd runs, or does not. `folder` lies on a file system that may carry an overlay. */
  static async create(folder: string, { systemd }: { readonly systemd: boolean }): Promise<HostTree> {
    await mkdir(join(folder, 'run-systemd', systemd ? 'system' : ''), { recursive: true });
    await writeFile(join(folder, 'systemctl'), SYSTEMCTL, { mode: 0o755 });
    return new HostTree(folder);
  }

  run(...argv: readonly string[]): Promise<Ran> {
    return run([
      'unshare',
      '--mount',
      '--net',
      '--propagation',
      'private',
      'sh',
      '-c',
      ENTER,
      'sh',
      this.folder,
      ...argv,
    ]);
  }

  blocklist(...command: readonly string[]): Promise<Ran> {
    return this.run(process.execPath, CLI, ...command);
  }

  async must(...argv: readonly string[]): Promise<string> {
    const ran = await this.run(...argv);
    if (ran.status !== 0) throw new Error(`${argv.join(' ')}: ${ran.status}: ${ran.stderr}`);
    return ran.stdout;
  }

  /** What systemctl was asked, a call a line. */
  async asked(): Promise<string[]> {
    const text = await readFile(join(this.folder, 'var/upper/log/systemctl-asked'), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }
}
