import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Namespace } from './namespace.js';
import { type Background, type Ran, until } from './processes.js';

const ACTION = fileURLToPath(new URL('../../examples/fail2ban/action.d/blocklist.conf', import.meta.url));

/** Name of a jail → lines of its section. */
export type Jails = Readonly<Record<string, readonly string[]>>;

export interface Fail2banOptions {
  /** how the shipped action calls this program; without it nothing is done about a ban */
  readonly program?: readonly string[];
  /** default: a file in the folder */
  readonly dbfile?: string;
}

/** Debian's fail2ban with folders, socket and jails of its own; nothing of this host's is used or changed. */
export class Fail2ban {
  private background: Background | undefined;

  private constructor(
    private readonly namespace: Namespace,
    private readonly folder: string,
  ) {}

  /** Starts it with jails that watch an empty log. */
  static async start(
    namespace: Namespace,
    folder: string,
    jails: Jails,
    options: Fail2banOptions = {},
  ): Promise<Fail2ban> {
    const server = new Fail2ban(namespace, folder);
    const { program, dbfile = server.database } = options;
    await cp('/etc/fail2ban', join(folder, 'etc'), { recursive: true });
    await rm(join(folder, 'etc/jail.d'), { recursive: true });
    await mkdir(join(folder, 'etc/jail.d'));
    await cp(ACTION, join(folder, 'etc/action.d/blocklist.conf'));
    await writeFile(join(folder, 'empty.log'), '');
    await writeFile(
      join(folder, 'etc/fail2ban.local'),
      [
        ...['[Definition]', `dbfile = ${dbfile}`, `logtarget = ${folder}/log`],
        ...[`socket = ${server.socket}`, `pidfile = ${folder}/pid`, ''],
      ].join('\n'),
    );
    const action = program === undefined ? [] : [`action = blocklist[blocklist="${program.join(' ')}"]`];
    const sections = Object.entries(jails).flatMap(([name, lines]) => [
      ...[`[${name}]`, 'enabled = true', 'filter = sshd', 'backend = polling', `logpath = ${folder}/empty.log`],
      ...[...action, ...lines, ''],
    ]);
    await writeFile(join(folder, 'etc/jail.local'), `[DEFAULT]\naction =\nbantime = 1h\n\n${sections.join('\n')}\n`);
    await server.up();
    return server;
  }

  get database(): string {
    return join(this.folder, 'fail2ban.sqlite3');
  }

  get socket(): string {
    return join(this.folder, 'socket');
  }

  /** Starts it, as at boot. */
  async up(): Promise<void> {
    const conf = join(this.folder, 'etc');
    this.background = this.namespace.start([
      ...['fail2ban-server', '-c', conf, '-s', this.socket, '-p', join(this.folder, 'pid'), '-x', '-f', 'start'],
    ]);
    await until('fail2ban answers', async () => (await this.client('ping')).status === 0);
  }

  /** Ends it in its own way. */
  async down(): Promise<void> {
    await this.background?.stop();
  }

  client(...command: readonly string[]): Promise<Ran> {
    return this.namespace.run(['fail2ban-client', '-s', this.socket, ...command]);
  }

  async done(...command: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.client(...command);
    if (status !== 0) throw new Error(`fail2ban-client ${command.join(' ')}: ${status}: ${stderr}`);
    return stdout;
  }

  /** Whom a jail has banned, as fail2ban itself knows it. */
  async banned(jail: string): Promise<string[]> {
    return (await this.done('get', jail, 'banip')).split(/\s+/).filter((text) => text !== '');
  }

  private log(): Promise<string> {
    return readFile(join(this.folder, 'log'), 'utf8');
  }

  /** What it complained about, a new database aside. */
  async complaints(): Promise<string[]> {
    return (await this.log())
      .split('\n')
      .filter((line) => /ERROR|WARNING|CRITICAL/.test(line) && !line.includes('New database'));
  }
}
