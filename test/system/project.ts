import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Namespace } from './namespace.js';
import { type Ran, run } from './processes.js';
import { CLI } from './requirements.js';

/** A source of a project: a file with these lines. */
export interface TestSource {
  readonly id: string;
  readonly direction?: 'in' | 'out' | 'both';
  readonly lines: readonly string[];
}

export interface Extras {
  readonly admins?: readonly string[];
  readonly allow?: readonly string[];
  /** what of this machine goes into the host-local sets; undefined: as the program is shipped */
  readonly auto?: readonly string[];
}

/** A folder with `blocklist.yaml` and lists, as an operator has one; caches and state are inside, too. */
export class Project {
  private constructor(readonly folder: string) {}

  static async create(sources: readonly TestSource[], extras: Extras = {}): Promise<Project> {
    const folder = await mkdtemp(join(tmpdir(), 'blocklist-system-'));
    // mkdtemp makes it private; other users take part in some tests.
    await chmod(folder, 0o755);
    const project = new Project(folder);
    await project.configure(sources, extras);
    return project;
  }

  /** Another folder with the same files, the built ones, too: every path in them is relative. */
  static async copyOf(template: Project): Promise<Project> {
    const project = await Project.create([]);
    await cp(template.folder, project.folder, { recursive: true });
    return project;
  }

  get config(): string {
    return this.path('blocklist.yaml');
  }

  get rules(): string {
    return this.path('rules');
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(this.path(name)), { recursive: true });
    await writeFile(this.path(name), text);
  }

  /** Writes the configuration and its lists anew. */
  async configure(sources: readonly TestSource[], { admins = [], allow = [], auto }: Extras = {}): Promise<void> {
    const custom = sources.map(
      ({ id, direction = 'in' }) => `    - {id: ${id}, file: lists/${id}.txt, direction: ${direction}}\n`,
    );
    await this.write(
      'blocklist.yaml',
      [
        `sources:\n  custom:\n${custom.join('')}`,
        'allow: {files: [lists/allow.txt]}\n',
        `local: {admins: [${admins.map((text) => `"${text}"`).join(', ')}]${auto === undefined ? '' : `, auto: [${auto.join(', ')}]`}}\n`,
        'paths: {rules: rules, cache: cache, state: state}\n',
      ].join(''),
    );
    await this.write('lists/allow.txt', `# never blocked\n${allow.map((line) => `${line}\n`).join('')}`);
    for (const { id, lines } of sources) await this.write(`lists/${id}.txt`, `${lines.join('\n')}\n`);
  }

  /** `blocklist COMMAND… --config …`, in a namespace when one is given. */
  blocklist(namespace: Namespace | undefined, ...command: readonly string[]): Promise<Ran> {
    const argv = this.argv(...command);
    return namespace === undefined ? run(argv) : namespace.run(argv);
  }

  /** The same, which must end with exit status 0. */
  async done(namespace: Namespace | undefined, ...command: readonly string[]): Promise<Ran> {
    const ran = await this.blocklist(namespace, ...command);
    if (ran.status !== 0) throw new Error(`blocklist ${command.join(' ')}: ${ran.status}: ${ran.stderr}`);
    return ran;
  }

  argv(...command: readonly string[]): string[] {
    return [process.execPath, CLI, ...command, '--config', this.config];
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
