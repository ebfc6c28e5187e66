import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Allowed, filesOf } from '../apply/artefacts.js';
import { must } from './processes.js';

/** nobody: any user but root does */
export const OWNER = 65534;

/** A repository of another user with rendered rules, as a team's clone is on a host. */
export class TestRepository {
  constructor(readonly folder: string) {}

  static async create(folder: string): Promise<TestRepository> {
    const repository = new TestRepository(folder);
    await mkdir(folder, { recursive: true });
    await must(['chown', String(OWNER), folder]);
    await repository.git('init', '-q', '-b', 'main');
    return repository;
  }

  get rules(): string {
    return join(this.folder, 'rules');
  }

  /** git, as its owner */
  git(...args: readonly string[]): Promise<string> {
    const who = ['-c', 'user.name=n', '-c', 'user.email=n@example.org'];
    const rights = ['setpriv', '--reuid', String(OWNER), '--regid', String(OWNER), '--clear-groups'];
    return must([...rights, 'git', '-C', this.folder, ...who, ...args]);
  }

  async write(name: string, bytes: Uint8Array | string, mode = 0o644): Promise<void> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await rm(path, { force: true });
    await writeFile(path, bytes);
    await chmod(path, mode);
    await this.giveBack();
  }

  async link(name: string, target: string): Promise<void> {
    await rm(join(this.folder, name), { force: true });
    await symlink(target, join(this.folder, name));
    await this.giveBack();
  }

  /** Writes an artefact that blocks these, consistent in itself whatever it blocks. */
  async render(inward: readonly string[], outward?: readonly string[], allowed?: Allowed): Promise<void> {
    for (const [name, bytes] of filesOf(inward, outward, undefined, allowed))
      await this.write(join('rules', name), bytes);
  }

  /** Commits all there is and returns the commit. */
  async commit(): Promise<string> {
    await this.giveBack();
    await this.git('add', '-A');
    await this.git('commit', '-q', '--allow-empty', '-m', 'rules');
    return (await this.git('rev-parse', 'HEAD')).trim();
  }

  async giveBack(): Promise<void> {
    await must(['chown', '-hR', `${OWNER}:${OWNER}`, this.folder]);
  }
}
