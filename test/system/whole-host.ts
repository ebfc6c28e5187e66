import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Background, must, type Ran, type RunOptions, run, start, until } from './processes.js';

/** What a host needs of this machine. */
export const WHOLE_HOST = ['root', 'netns', 'mountns', 'overlay', 'cgroup2', 'ip', 'ss', 'nsenter', 'perl'];

/**
 * Makes a host: `/` is an overlay of the real one in memory, processes, network, control groups, mounts and System V IPC are its own, so nothing of
 * what runs in it is seen or changed outside; what of the kernel is everybody's cannot be written. The checkout is at /mnt. The control group is a new one, since root of a namespace of
 * control groups is where its first process was.
 */
const MAKE = `set -eu
folder=$1; checkout=$2; shift 2
mount --make-rprivate /
mount -t tmpfs none "$folder"
cd "$folder"
mkdir up work root groups
mount -t cgroup2 none groups
mkdir "groups/$(basename "$folder")"
echo $$ > "groups/$(basename "$folder")/cgroup.procs"
mount -t overlay overlay -o lowerdir=/,upperdir=up,workdir=work root
test "$(stat -f -c %T root)" = overlayfs
mount --bind "$checkout" root/mnt
exec unshare -p -n -u -i -C --fork --kill-child sh -c '
  set -eu
  mount -t proc proc root/proc
  mount -t sysfs sysfs root/sys
  mount -t cgroup2 cgroup2 root/sys/fs/cgroup
  for part in fs kernel vm; do
    mount --bind root/proc/sys/$part root/proc/sys/$part
    mount -o remount,bind,ro root/proc/sys/$part
  done
  mount --rbind /dev root/dev
  mount -t tmpfs -o mode=1777 none root/dev/shm
  mount -t tmpfs -o mode=755 none root/run
  mount -t tmpfs -o mode=1777 none root/tmp
  mkdir root/run/lock
  ip link set lo up
  exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot root "$@"
' sh "$@"`;

/** A first process that waits, and takes nobody's place. */
const NOTHING = ['sleep', '1000000'];
/** No unit of this machine is started: some of them change the kernel itself (systemd-sysctl, systemd-binfmt). */
const SYSTEMD = ['/lib/systemd/systemd', '--system', '--unit=test.target', '--log-target=null'];
const TARGET = '[Unit]\\nDescription=test\\nDefaultDependencies=no\\n';

export class WholeHost {
  private constructor(
    private readonly folder: string,
    private readonly made: Background,
    /** its first process, as it is called outside */
    readonly init: number,
  ) {}

  /** @param first its first process: a systemd that runs nothing but what is asked of it, or one that waits */
  static async start(first: 'systemd' | 'nothing'): Promise<WholeHost> {
    const folder = await mkdtemp(join(tmpdir(), 'blocklist-host-'));
    const checkout = fileURLToPath(new URL('../..', import.meta.url));
    const boot = [
      'sh',
      '-c',
      `printf '${TARGET}' > /etc/systemd/system/test.target && exec "$@"`,
      'sh',
      ...(first === 'systemd' ? SYSTEMD : NOTHING),
    ];
    const made = start(['unshare', '-m', 'sh', '-c', MAKE, 'sh', folder, checkout, ...boot]);
    const text = (path: string) => readFile(`/proc/${path}`, 'utf8').catch(() => '');
    let init = '';
    await until('its first process runs', async () => {
      // Before that the children are the commands that make it.
      init = (await text(`${made.pid}/task/${made.pid}/children`)).trim();
      return /^(systemd|sleep)\n$/.test(await text(`${init}/comm`));
    });
    const host = new WholeHost(folder, made, Number(init));
    const ready = first === 'systemd' ? ['systemctl', 'show', '--property=Version'] : ['true'];
    await until('it answers', async () => (await host.run(ready)).status === 0);
    return host;
  }

  run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return run([...this.entry, ...argv], options);
  }

  must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    return must([...this.entry, ...argv], options);
  }

  /** A line as a person pastes it into a shell of root. */
  paste(line: string): Promise<string> {
    return this.must(['sh', '-c', line]);
  }

  start(argv: readonly string[]): Background {
    return start([...this.entry, ...argv]);
  }

  async write(path: string, text: string): Promise<void> {
    await this.must(['sh', '-c', 'mkdir -p "$(dirname "$0")" && cat > "$0"', path], { stdin: text });
  }

  /** `blocklist COMMAND…` of root, or of whom the words before it make. */
  blocklist(command: readonly string[], before: readonly string[] = []): Promise<Ran> {
    return this.run([...before, process.execPath, '/mnt/dist/cli.cjs', ...command]);
  }

  async remove(): Promise<void> {
    // Its first process takes all others along, and unshare(1) ignores SIGTERM.
    process.kill(this.init, 'SIGKILL');
    await this.made.stop();
    const remains = 'mount -t cgroup2 none /mnt && find "/mnt/$0" -depth -type d -exec rmdir {} +';
    await run(['unshare', '-m', 'sh', '-c', remains, basename(this.folder)]);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The folder that nsenter(1) changes to by itself is one of outside. */
  private get entry(): string[] {
    const { init } = this;
    const namespaces = ['-m', '-p', '-n', '-u', '-i', '-C', `--root=/proc/${init}/root`];
    return ['nsenter', '-t', String(init), ...namespaces, '--', 'env', '-C', '/'];
  }
}
