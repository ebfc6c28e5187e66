import { readFile } from 'node:fs/promises';
import { type Background, must, type Ran, type RunOptions, run, start, until } from './processes.js';
import { WITHOUT_RIGHTS } from './requirements.js';

let made = 0;

/** A network namespace of its own: its kernel tables are nobody else's. */
export class Namespace {
  private readonly background: Background[] = [];

  private constructor(
    readonly name: string,
    private readonly entry: readonly string[] = ['ip', 'netns', 'exec', name],
    /** the first of its processes, as it is called outside, where it has processes of its own: all end with it */
    private readonly init?: number,
  ) {}

  static async create(): Promise<Namespace> {
    const namespace = new Namespace(`blocklist-${process.pid}-${++made}`);
    await must(['ip', 'netns', 'add', namespace.name]);
    await namespace.must(['ip', 'link', 'set', 'lo', 'up']);
    return namespace;
  }

  /** The same inside a user namespace, as in a container: root there may not force its send buffer, so large transactions are refused. */
  static async ofUser(): Promise<Namespace> {
    const name = `blocklist-${process.pid}-${++made}`;
    const owner = start([...WITHOUT_RIGHTS, 'unshare', '-Urn', 'sh', '-c', 'echo ready; exec sleep 1000']);
    await until('the user namespace is there', () => owner.output().includes('ready'));
    await must(['ip', 'netns', 'attach', name, String(owner.pid)]);
    const [user, net] = ['user', 'net'].map((kind) => `--${kind}=/proc/${owner.pid}/ns/${kind}`);
    const namespace = new Namespace(name, ['nsenter', `${user}`, `${net}`, '--preserve-credentials', '--']);
    namespace.background.push(owner);
    await namespace.must(['ip', 'link', 'set', 'lo', 'up']);
    return namespace;
  }

  /** The same with mounts of its own, which the lines of this script make. */
  static async withMounts(script: string): Promise<Namespace> {
    const { outer, owner } = await Namespace.mounted([], script);
    const [mnt, net] = ['mnt', 'net'].map((kind) => `/proc/${owner.pid}/ns/${kind}`);
    const namespace = new Namespace(outer.name, ['nsenter', `--mount=${mnt}`, `--net=${net}`, '--']);
    namespace.background.push(owner);
    return namespace;
  }

  /** The same, and no process is seen but its own: what other tests run at the same time is not there. */
  static async ofProcesses(script: string): Promise<Namespace> {
    const { outer, owner } = await Namespace.mounted(['-p', '--fork', '--mount-proc'], script);
    const init = Number(await readFile(`/proc/${owner.pid}/task/${owner.pid}/children`, 'utf8'));
    const all = ['mnt', 'net', 'pid'].map((kind) => `--${kind === 'mnt' ? 'mount' : kind}=/proc/${init}/ns/${kind}`);
    const namespace = new Namespace(outer.name, ['nsenter', ...all, '--'], init);
    namespace.background.push(owner);
    return namespace;
  }

  private static async mounted(more: readonly string[], script: string) {
    const outer = await Namespace.create();
    const owner = outer.start(['unshare', '-m', ...more, 'sh', '-ec', `${script}\necho ready; exec sleep 1000`]);
    await until('the mounts are there', () => owner.output().includes('ready'));
    return { outer, owner };
  }

  run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return run([...this.entry, ...argv], options);
  }

  must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    return must([...this.entry, ...argv], options);
  }

  start(argv: readonly string[]): Background {
    const started = start([...this.entry, ...argv]);
    this.background.push(started);
    return started;
  }

  /** Runs a script of nft that must succeed. */
  async nft(script: string): Promise<void> {
    await this.must(['nft', '-f', '-'], { stdin: script });
  }

  /** Everything that nft shows, with the numbers of tables, sets and rules: any change of the kernel changes this text. */
  ruleset(): Promise<string> {
    return this.must(['nft', '-a', 'list', 'ruleset']);
  }

  /** Runs lines of ip(8). */
  async ip(...lines: readonly string[]): Promise<void> {
    for (const line of lines) await this.must(['ip', ...line.split(' ')]);
  }

  async remove(): Promise<void> {
    if (this.init !== undefined) process.kill(this.init, 'SIGKILL');
    for (const each of [...this.background].reverse()) await each.stop();
    await run(['ip', 'netns', 'del', this.name]);
  }
}

/** Joins two namespaces by a cable; both ends are called `wire`. */
export async function connect(a: Namespace, b: Namespace): Promise<void> {
  await must(['ip', 'link', 'add', 'wire', 'netns', a.name, 'type', 'veth', 'peer', 'name', 'wire', 'netns', b.name]);
  await a.ip('link set wire up');
  await b.ip('link set wire up');
}
