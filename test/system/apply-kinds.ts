import { cp, rm } from 'node:fs/promises';
import type { Namespace } from './namespace.js';
import { Project } from './project.js';

/** What `apply --json` tells of itself. */
export interface Told {
  readonly plan: 'nothing' | 'delta' | 'full';
  readonly why: string | null;
  readonly done: 'nothing' | 'delta' | 'full' | 'staged';
  readonly digest: string;
  readonly loaded: string | null;
  readonly mended: string | null;
}

/**
 * One host whose reviewed rules become others: the artefacts of several lists, one of which is at a time in `rules`. State and
 * kept artefacts are those of one host throughout.
 */
export class Rules<Name extends string> {
  private constructor(readonly project: Project) {}

  static async create<Name extends string>(lists: Readonly<Record<Name, readonly string[]>>): Promise<Rules<Name>> {
    const project = await Project.create([]);
    for (const [name, lines] of Object.entries<readonly string[]>(lists)) {
      await project.configure([{ id: 'mine', lines }]);
      await project.done(undefined, 'build', '--quiet');
      await cp(project.rules, project.path(`rules-${name}`), { recursive: true });
    }
    return new Rules<Name>(project);
  }

  /** From now on these were reviewed. */
  async review(name: Name): Promise<void> {
    await rm(this.project.rules, { recursive: true, force: true });
    await cp(this.project.path(`rules-${name}`), this.project.rules, { recursive: true });
  }

  /** Reviews and applies them, which must end well. */
  async apply(host: Namespace, name: Name, ...options: readonly string[]): Promise<Told> {
    await this.review(name);
    const { stdout } = await this.project.done(host, 'apply', '--json', ...options);
    return JSON.parse(stdout);
  }

  /** As on a host whose state was lost: what is loaded is not kept here. */
  async forgetKept(): Promise<void> {
    await rm(this.project.path('state', 'kept'), { recursive: true, force: true });
  }

  /** Exit status and verdict of `status`, which reads every element back. */
  async verdict(host: Namespace): Promise<string> {
    const { status, stdout } = await this.project.blocklist(host, 'status', '--json');
    return `${status} ${JSON.parse(stdout).verdict}`;
  }

  remove(): Promise<void> {
    return this.project.remove();
  }
}

/** `count` single addresses that do not touch, from 31.0.0.0 on; all of another `shift` are others. */
export function manyNodes(count: number, shift: 0 | 1 | 2 = 0): string[] {
  return Array.from({ length: count }, (_, i) => {
    const low = i * 6 + 1 + 2 * shift;
    return `${31 + (low >> 24)}.${(low >> 16) & 255}.${(low >> 8) & 255}.${low & 255}`;
  });
}

/** `count` blocks that do not touch, from 91.0.0.0 on; all of another `shift` are others. */
export function manyNets(count: number, shift: 0 | 1 = 0): string[] {
  return Array.from({ length: count }, (_, i) => {
    const low = i * 4 + 2 * shift;
    return `${91 + (low >> 16)}.${(low >> 8) & 255}.${low & 255}.0/24`;
  });
}
