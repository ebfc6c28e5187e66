import { createHash } from 'node:crypto';
import { access, cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readArtefact } from '../../src/apply/artefact-store.js';
import { must, type Ran, run } from './processes.js';
import { CLI } from './requirements.js';

/** The list and the plain files of rules/ that come of it. */
export const OLD = {
  list: '5.0.0.0/24\n5.6.7.8\n2a00::1\n2a01::/32\n',
  files: {
    'nets4.txt': '5.0.0.0/24\n',
    'nets6.txt': '2a01::/32\n',
    'nodes4.txt': '5.6.7.8\n',
    'nodes6.txt': '2a00::1\n',
  },
};
export const NEW = {
  list: '9.0.0.0/23\n9.6.7.8\n2b00::1\n2b01::/33\n',
  files: {
    'nets4.txt': '9.0.0.0/23\n',
    'nets6.txt': '2b01::/33\n',
    'nodes4.txt': '9.6.7.8\n',
    'nodes6.txt': '2b00::1\n',
  },
};
const PLAIN = Object.keys(OLD.files) as (keyof typeof OLD.files)[];

export const CALLS = ['fsync', 'rename'] as const;

/** Why strace cannot work here; it needs the right to trace, which containers may lack. */
async function lackOfStrace(): Promise<string | undefined> {
  try {
    const { status } = await run(['strace', '-f', '-e', 'trace=fsync', 'true']);
    return status === 0 ? undefined : 'strace may not trace here';
  } catch {
    return 'strace is not installed';
  }
}

/** A block of tests that need strace: skipped by name without it, and failed under CI=true. */
export async function describeCrashes(name: string, block: () => void): Promise<void> {
  const why = await lackOfStrace();
  if (why !== undefined && process.env.CI === 'true') {
    test(`${name} (${why})`, () => {
      throw new Error(`CI=true and this cannot run: ${why}`);
    });
  }
  describe.skipIf(why !== undefined)(why === undefined ? name : `${name} (skipped: ${why})`, block);
}

/**
 * A project with one source, `a`, that is put back again and again to where an older artefact stands and a new list waits, and a command
 * that is ended at every moment where a file becomes lasting (fsync) or visible (rename).
 */
export class CrashProject {
  private constructor(
    private readonly base: string,
    private readonly command: 'build' | 'update',
  ) {}

  /** `before` makes the old list the one that is found, `after` the new one. */
  static async create(
    command: 'build' | 'update',
    source: string,
    before: (folder: string) => Promise<void>,
    after: (folder: string) => Promise<void>,
  ): Promise<CrashProject> {
    const project = new CrashProject(await mkdtemp(join(tmpdir(), 'blocklist-crash-')), command);
    afterAll(() => rm(project.base, { recursive: true, force: true }));
    const { folder } = project;
    await mkdir(folder, { recursive: true });
    const yaml = `sources: {custom: [{id: a, ${source}}]}\npaths: {cache: cache, state: state}\n`;
    await writeFile(join(folder, 'blocklist.yaml'), yaml);
    await before(folder);
    await project.run();
    await after(folder);
    await cp(folder, project.template, { recursive: true });
    return project;
  }

  /** Always the same path, since last good belongs to the path of its list. */
  get folder(): string {
    return join(this.base, 'root', 'project');
  }

  private get root(): string {
    return join(this.base, 'root');
  }

  private get template(): string {
    return join(this.base, 'template');
  }

  /** The project as it is before each run: the old artefact, and the new list waiting. */
  async restore(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
    await cp(this.template, this.folder, { recursive: true });
  }

  /** The command, which must end well. */
  async run(): Promise<void> {
    await must([process.execPath, CLI, this.command, '--quiet'], { cwd: this.folder });
  }

  /**
   * The command under strace. All file work of node goes through one thread then, so that the N-th call of strace, which counts
   * threads apart, is the N-th of the process.
   */
  async traced(...options: readonly string[]): Promise<Ran> {
    // Only the calls that are counted stop the program then; a signal does not come at the call itself (strace 6.1).
    const speed = options.some((option) => option.includes(':signal=')) ? [] : ['--seccomp-bpf'];
    const watched = ['-e', `trace=${CALLS.join(',')}`];
    const argv = ['strace', '-f', ...speed, '-qq', '-o', join(this.root, 'trace'), ...watched, ...options];
    const work = ['env', 'UV_THREADPOOL_SIZE=1', ...argv, process.execPath, CLI, this.command, '--quiet'];
    // The shell tells a killed program from one that ended, as 137.
    return run(['sh', '-c', '"$@"; exit $?', 'sh', ...work], { cwd: this.folder });
  }

  /** How often a traced run made each call. */
  async counted(): Promise<Record<(typeof CALLS)[number], number>> {
    const trace = await readFile(join(this.root, 'trace'), 'utf8');
    const count = (call: string) => trace.match(new RegExp(`\\b${call}\\(`, 'g'))?.length ?? 0;
    return { fsync: count('fsync'), rename: count('rename') };
  }

  /** The artefact as its readers see it, proven consistent by readArtefact. */
  async artefact(): Promise<'old' | 'new'> {
    const { sets, script } = await readArtefact(join(this.folder, 'rules'));
    expect([sets.in.nets4.size, sets.in.nets6.size, sets.in.nodes4.size, sets.in.nodes6.size]).toEqual([1, 1, 1, 1]);
    const text = Buffer.from(script).toString();
    const holds = (list: string) => list.split('\n').every((line) => text.includes(line));
    expect(holds(OLD.list)).not.toBe(holds(NEW.list));
    return holds(OLD.list) ? 'old' : 'new';
  }

  /** The list behind last good: the body that meta.json names by its own digest. */
  async lastGood(): Promise<string> {
    const place = join(this.folder, 'cache', 'sources', 'a');
    const { digest } = JSON.parse(await readFile(join(place, 'meta.json'), 'utf8')) as { digest: string };
    const bytes = await readFile(join(place, `${digest}.body`));
    expect(digest).toBe(createHash('sha256').update(bytes).digest('hex'));
    return bytes.toString();
  }

  /** Wholly old or wholly new. */
  async requireWhole(): Promise<void> {
    expect(await this.artefact()).toMatch(/^(old|new)$/);
    for (const name of PLAIN) expect([OLD.files[name], NEW.files[name]]).toContain(await this.rule(name));
    expect([OLD.list, NEW.list]).toContain(await this.lastGood());
  }

  /** The next run, as if the half minute had passed after which the lock of a killed run is taken over. */
  async requireRecovery(): Promise<void> {
    const lock = join(this.folder, 'state', 'lock');
    const longAgo = new Date(Date.now() - 31_000);
    const isThere = await access(lock).then(
      () => true,
      () => false,
    );
    if (isThere) await utimes(lock, longAgo, longAgo);
    await this.run();
    expect(await this.artefact()).toBe('new');
    expect((await readdir(join(this.folder, 'rules'))).sort()).toEqual(['blocklist.nft', 'manifest.json', ...PLAIN]);
    for (const name of PLAIN) expect(await this.rule(name)).toBe(NEW.files[name]);
    expect(await this.lastGood()).toBe(NEW.list);
    expect(await this.leftovers()).toEqual([]);
  }

  /** Files of the cache that are neither last good, nor the parsed database of countries, nor the log of fetches. */
  private async leftovers(): Promise<string[]> {
    const known =
      /^(fetches\.json|sources|databases|geo-country|meta\.json|a|[0-9a-f]{64}\.(body|parsed)|\d+(-\d+){3}\.parsed)$/;
    const entries = await readdir(join(this.folder, 'cache'), { recursive: true, withFileTypes: true });
    const bodies = entries.filter(({ name }) => name.endsWith('.body')).map(({ name }) => name);
    return [...entries.map(({ name }) => name).filter((name) => !known.test(name)), ...bodies.slice(1)];
  }

  private rule(name: string): Promise<string> {
    return readFile(join(this.folder, 'rules', name), 'utf8');
  }
}

/** Ends the command at each of its calls, by the kernel's axe and by a disk without space, and heals it each time. */
export function testCrashes(project: () => CrashProject, counts: Record<(typeof CALLS)[number], number>): void {
  describe.each(CALLS)('at every %s', (call) => {
    test('killed', { timeout: 300_000 }, async () => {
      expect(counts[call]).toBeGreaterThan(0);
      for (let n = 1; n <= counts[call]; n++) {
        await project().restore();
        const { status } = await project().traced('-e', `inject=${call}:signal=KILL:when=${n}`);
        expect({ n, status }).toEqual({ n, status: 137 });
        await project().requireWhole();
        await project().requireRecovery();
      }
    });

    test('no space left', { timeout: 300_000 }, async () => {
      expect(counts[call]).toBeGreaterThan(0);
      for (let n = 1; n <= counts[call]; n++) {
        await project().restore();
        const { status, stderr } = await project().traced('-e', `inject=${call}:error=ENOSPC:when=${n}`);
        // A source that cannot be kept is served by last good (3); anything else ends the run (5). The last file, the parsed database of countries, only
        // saves the next answer of `why` some time.
        const ended = status === 3 || status === 5 ? 'told' : status;
        expect({ n, ended }).toEqual({ n, ended: n === counts[call] ? 0 : 'told' });
        expect({ n, stderr }).not.toMatchObject({ stderr: expect.stringContaining('this is a defect') });
        await project().requireWhole();
        await project().requireRecovery();
      }
    });
  });
}
