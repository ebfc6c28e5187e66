import { createHash } from 'node:crypto';
import { access, cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readArtefact } from '../../src/apply/artefact-store.js';
import { must, type Ran, run } from './processes.js';
import { CLI } from './requirements.js';

/**
 * A build over an older artefact, ended at every single moment where a file becomes lasting (fsync) or visible (rename): by the
 * kernel's axe, and by a disk without space. Whatever the moment, what is found afterwards is wholly old or wholly new.
 */
const YAML = 'sources: {custom: [{id: a, file: a.txt}]}\npaths: {cache: cache, state: state}\n';

/** The list and the plain files of rules/ that come of it. */
const OLD = {
  list: '5.0.0.0/24\n5.6.7.8\n2a00::1\n2a01::/32\n',
  files: {
    'nets4.txt': '5.0.0.0/24\n',
    'nets6.txt': '2a01::/32\n',
    'nodes4.txt': '5.6.7.8\n',
    'nodes6.txt': '2a00::1\n',
  },
};
const NEW = {
  list: '9.0.0.0/23\n9.6.7.8\n2b00::1\n2b01::/33\n',
  files: {
    'nets4.txt': '9.0.0.0/23\n',
    'nets6.txt': '2b01::/33\n',
    'nodes4.txt': '9.6.7.8\n',
    'nodes6.txt': '2b00::1\n',
  },
};
const PLAIN = Object.keys(OLD.files) as (keyof typeof OLD.files)[];

const CALLS = ['fsync', 'rename'] as const;

/** Why strace cannot work here; it needs the right to trace, which containers may lack. */
async function lackOfStrace(): Promise<string | undefined> {
  try {
    const { status } = await run(['strace', '-f', '-e', 'trace=fsync', 'true']);
    return status === 0 ? undefined : 'strace may not trace here';
  } catch {
    return 'strace is not installed';
  }
}

let root = '';
/** where the build runs: always the same path, since last good belongs to the path of its list */
let folder = '';
let template = '';

/** The project as it is before each build: the old artefact, and the new list waiting. */
async function restore(): Promise<void> {
  await rm(root, { recursive: true, force: true });
  await cp(template, folder, { recursive: true });
}

/**
 * `build` under strace. All file work of node goes through one thread then, so that the N-th call of strace, which counts
 * threads apart, is the N-th of the process.
 */
async function traced(...options: readonly string[]): Promise<Ran> {
  const argv = ['strace', '-f', '-qq', '-o', join(root, 'trace'), '-e', `trace=${CALLS.join(',')}`, ...options];
  const build = ['env', 'UV_THREADPOOL_SIZE=1', ...argv, process.execPath, CLI, 'build', '--quiet'];
  // The shell tells a killed program from one that ended, as 137.
  return run(['sh', '-c', '"$@"; exit $?', 'sh', ...build], { cwd: folder });
}

function rule(name: string): Promise<string> {
  return readFile(join(folder, 'rules', name), 'utf8');
}

/** The artefact as its readers see it, proven consistent by readArtefact. */
async function artefact(): Promise<'old' | 'new'> {
  const { sets, script } = await readArtefact(join(folder, 'rules'));
  expect([sets.in.nets4.size, sets.in.nets6.size, sets.in.nodes4.size, sets.in.nodes6.size]).toEqual([1, 1, 1, 1]);
  const text = Buffer.from(script).toString();
  const holds = (list: string) => list.split('\n').every((line) => text.includes(line));
  expect(holds(OLD.list)).not.toBe(holds(NEW.list));
  return holds(OLD.list) ? 'old' : 'new';
}

/** The list behind last good: the body that meta.json names, under its own digest. */
async function lastGood(): Promise<string> {
  const place = join(folder, 'cache', 'sources', 'a');
  const { body } = JSON.parse(await readFile(join(place, 'meta.json'), 'utf8')) as { body: string };
  const bytes = await readFile(join(place, body));
  expect(body).toBe(`${createHash('sha256').update(bytes).digest('hex')}.body`);
  return bytes.toString();
}

async function requireWhole(): Promise<void> {
  expect(await artefact()).toMatch(/^(old|new)$/);
  for (const name of PLAIN) expect([OLD.files[name], NEW.files[name]]).toContain(await rule(name));
  expect([OLD.list, NEW.list]).toContain(await lastGood());
}

/** The next build, as if the half minute had passed after which the lock of a killed run is taken over. */
async function requireRecovery(): Promise<void> {
  const lock = join(folder, 'state', 'lock');
  const longAgo = new Date(Date.now() - 31_000);
  if (
    await access(lock).then(
      () => true,
      () => false,
    )
  )
    await utimes(lock, longAgo, longAgo);
  await must([process.execPath, CLI, 'build', '--quiet'], { cwd: folder });
  expect(await artefact()).toBe('new');
  expect((await readdir(join(folder, 'rules'))).sort()).toEqual(['blocklist.nft', 'manifest.json', ...PLAIN]);
  for (const name of PLAIN) expect(await rule(name)).toBe(NEW.files[name]);
  expect(await lastGood()).toBe(NEW.list);
}

const why = await lackOfStrace();
const isDemanded = process.env.CI === 'true';
if (why !== undefined && isDemanded) {
  test(`crashes (${why})`, () => {
    throw new Error(`CI=true and this cannot run: ${why}`);
  });
}

describe.skipIf(why !== undefined)(why === undefined ? 'crashes' : `crashes (skipped: ${why})`, () => {
  const counts = { fsync: 0, rename: 0 };

  beforeAll(async () => {
    const base = await mkdtemp(join(tmpdir(), 'blocklist-crash-'));
    [root, template] = [join(base, 'root'), join(base, 'template')];
    folder = join(root, 'project');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'blocklist.yaml'), YAML);
    await writeFile(join(folder, 'a.txt'), OLD.list);
    await must([process.execPath, CLI, 'build', '--quiet'], { cwd: folder });
    await writeFile(join(folder, 'a.txt'), NEW.list);
    await cp(folder, template, { recursive: true });
  });
  afterAll(() => rm(join(root, '..'), { recursive: true, force: true }));

  test('the calls are found: each file is synced, then renamed', async () => {
    await restore();
    expect(await artefact()).toBe('old');
    expect((await traced()).status).toBe(0);
    const trace = await readFile(join(root, 'trace'), 'utf8');
    for (const call of CALLS) counts[call] = trace.match(new RegExp(`\\b${call}\\(`, 'g'))?.length ?? 0;
    // Body, meta.json, six files of the artefact and the record of the build; the six are then moved into place.
    expect(counts).toEqual({ fsync: 9, rename: 15 });
    await requireRecovery();
  });

  describe.each(CALLS)('at every %s', (call) => {
    test('killed', { timeout: 300_000 }, async () => {
      for (let n = 1; n <= counts[call]; n++) {
        await restore();
        const { status } = await traced('-e', `inject=${call}:signal=KILL:when=${n}`);
        expect({ n, status }).toEqual({ n, status: 137 });
        await requireWhole();
        await requireRecovery();
      }
    });

    test('no space left', { timeout: 300_000 }, async () => {
      for (let n = 1; n <= counts[call]; n++) {
        await restore();
        const { status, stderr } = await traced('-e', `inject=${call}:error=ENOSPC:when=${n}`);
        // A source that cannot be kept is served by last good (3); anything else ends the build (5).
        expect([3, 5]).toContain(status);
        expect({ n, stderr }).not.toMatchObject({ stderr: expect.stringContaining('this is a defect') });
        await requireWhole();
        await requireRecovery();
      }
    });
  });
});
