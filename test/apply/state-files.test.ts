import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hold, readHold, release } from '../../src/apply/hold.js';
import { keptLoads, readKept, recordLoad, stash } from '../../src/apply/kept.js';
import { addressesOf, type LocalEntry, readLocalEntries, writeLocalEntries } from '../../src/apply/local-entries.js';
import { readPending } from '../../src/apply/pending.js';
import { readState, writeState } from '../../src/io/state-file.js';
import { formatPrefix, IpSet, parsePrefix } from '../../src/ip/index.js';
import { problemOf, tempFolder } from '../io/temp.js';
import { artefactOf } from './artefacts.js';

const NOW = Date.UTC(2026, 10, 1);

const DAMAGED: ReadonlyArray<readonly [string, string]> = [
  ['empty', ''],
  ['cut off', '{"version": 1, '],
  ['not JSON', 'unloaded\n'],
  ['a list', '[]'],
  ['of another version', '{"version": 9}'],
  ['with a key that is not ours', '{"version": 1, "entries": [], "loads": [], "more": 1}'],
];

/** Every file that is read, and how. */
const FILES: ReadonlyArray<readonly [name: string, path: string, read: (state: string) => Promise<unknown>]> = [
  ['entries', 'local.json', (state) => readLocalEntries(state, NOW)],
  ['loads', 'kept/loads.json', keptLoads],
  ['hold: unloaded', 'unloaded', readHold],
  ['hold: rolled back', 'rolled-back', readHold],
  ['pending', 'pending.json', readPending],
];

describe.each(FILES)('%s', (_name, path, read) => {
  test('without a file there is nothing', async () => {
    const state = await tempFolder();
    expect(await read(state)).toSatisfy((value) => value === undefined || (Array.isArray(value) && value.length === 0));
    expect(await readdir(state)).toEqual([]);
  });

  test.each(DAMAGED)('a file that is %s: state-invalid with its path, and it stays as it is', async (_what, text) => {
    const state = await tempFolder();
    await mkdir(join(state, path, '..'), { recursive: true });
    await writeFile(join(state, path), text);
    const error = await problemOf(() => read(state));
    expect([error.code, error.exitStatus, error.where]).toEqual(['state-invalid', 5, join(state, path)]);
    expect(error.hint).toContain('move it away');
    expect(await readFile(join(state, path), 'utf8')).toBe(text);
  });
});

describe('state files', () => {
  const schema = z.strictObject({ word: z.string() });

  test('what is written is read, in a folder that was not there, too', async () => {
    const path = join(await tempFolder(), 'a', 'b', 'state.json');
    await writeState(path, { word: 'ä"\n' });
    expect(await readState(path, schema)).toEqual({ word: 'ä"\n' });
    await writeState(path, { word: 'another' });
    expect(await readState(path, schema)).toEqual({ word: 'another' });
    expect(await readdir(join(path, '..'))).toEqual(['state.json']);
  });

  test.each([0o600, 0o666])(
    'who may read it and who may not write it does not depend on what was there: %o',
    async (mode) => {
      const path = join(await tempFolder(), 'state.json');
      await writeState(path, { word: 'old' });
      await chmod(path, mode);
      await writeState(path, { word: 'new' });
      expect((await stat(path)).mode & 0o777).toBe(0o644);
    },
  );

  test('what could not be read again is not written', async () => {
    const path = join(await tempFolder(), 'state.json');
    await writeState(path, { word: 'old' });
    const problem = await problemOf(() => writeState(path, { word: 'x'.repeat(1 << 26) }));
    expect(problem).toMatchObject({ code: 'too-large', where: path, exitStatus: 5 });
    expect(problem.hint).toBeDefined();
    expect(await readState(path, schema)).toEqual({ word: 'old' });
  });

  test('the message says what is wrong on one line', async () => {
    const path = join(await tempFolder(), 'state.json');
    await writeState(path, { word: 1, more: 2 });
    const { message } = await problemOf(() => readState(path, schema));
    expect(message).toContain(`${path} is damaged: `);
    expect(message.split('\n')).toHaveLength(1);
  });
});

describe('entries', () => {
  const ENTRIES: readonly LocalEntry[] = [
    {
      what: 'ban',
      prefix: parsePrefix('9.0.0.0/24'),
      since: NOW - 9,
      until: NOW + 1000,
      reason: 'scans',
      author: 'root',
    },
    { what: 'ban', prefix: parsePrefix('2a02::1'), since: NOW, author: 'deploy' },
    { what: 'allow', prefix: parsePrefix('9.0.0.7'), since: NOW, until: NOW, author: 'root' },
    { what: 'allow', prefix: parsePrefix('9.0.0.8'), since: NOW, until: NOW + 1, author: 'root' },
  ];

  test('those in force come back as they were', async () => {
    const state = await tempFolder();
    await writeLocalEntries(state, ENTRIES);
    expect(await readLocalEntries(state, NOW - 1)).toEqual(ENTRIES);
    expect(await readLocalEntries(state, NOW)).toEqual(ENTRIES.filter((_, i) => i !== 2));
    expect(await readLocalEntries(state, NOW + 1000)).toEqual([ENTRIES[1]]);
  });

  test('a person can read the file', async () => {
    const state = await tempFolder();
    await writeLocalEntries(state, ENTRIES);
    const { entries } = JSON.parse(await readFile(join(state, 'local.json'), 'utf8'));
    expect(entries.map(({ prefix }: { prefix: string }) => prefix)).toEqual(
      ENTRIES.map(({ prefix }) => formatPrefix(prefix)),
    );
  });

  test('addresses of one kind', () => {
    const banned = IpSet.from(['9.0.0.0/24', '2a02::1']);
    expect(addressesOf(ENTRIES, 'ban').equals(banned)).toBe(true);
    expect(addressesOf(ENTRIES, 'allow').equals(IpSet.from(['9.0.0.7', '9.0.0.8']))).toBe(true);
    expect(addressesOf([], 'ban').isEmpty).toBe(true);
  });

  const entry = { what: 'ban', prefix: '9.0.0.1', since: NOW, author: 'root' };
  test.each<[string, object]>([
    ['a prefix that is none', { ...entry, prefix: 'localhost' }],
    ['an unknown decision', { ...entry, what: 'drop' }],
    ['a date in words', { ...entry, until: 'tomorrow' }],
    ['no author', { ...entry, author: undefined }],
    ['a key of a later version', { ...entry, jail: 'sshd' }],
    ['a reason without end', { ...entry, reason: 'x'.repeat(201) }],
  ])('one with %s: state-invalid', async (_what, bad) => {
    const state = await tempFolder();
    await writeState(join(state, 'local.json'), { version: 1, entries: [entry, bad] });
    expect((await problemOf(() => readLocalEntries(state, NOW))).code).toBe('state-invalid');
  });
});

describe('hold', () => {
  const digest = `sha256:${'0a'.repeat(32)}`;
  const UNLOADED = { what: 'unloaded', at: NOW, by: 'root' } as const;
  const BACK = { what: 'rolled-back', at: NOW, by: 'deploy', digest } as const;

  test('the latest decision holds, and only it', async () => {
    const state = await tempFolder();
    for (const decision of [UNLOADED, BACK, UNLOADED, BACK]) {
      await hold(state, decision);
      expect(await readHold(state)).toEqual(decision);
      // The boot unit knows it by this name.
      expect(await readdir(state)).toEqual([decision.what]);
    }
  });

  test('released, nothing is held; twice, too', async () => {
    const state = await tempFolder();
    await hold(state, UNLOADED);
    await release(state);
    await release(state);
    expect(await readHold(state)).toBeUndefined();
    expect(await readdir(state)).toEqual([]);
  });
});

describe('kept', () => {
  async function load(state: string, address: string, at: number): Promise<string> {
    const artefact = await artefactOf([address]);
    await stash(state, artefact);
    await recordLoad(state, artefact.digest, at);
    return artefact.digest;
  }

  test('what was loaded is read as it was', async () => {
    const state = await tempFolder();
    const artefact = await artefactOf(['9.0.0.1', '2a02::/32'], ['9.1.0.0/16']);
    await stash(state, artefact);
    expect(await keptLoads(state)).toEqual([]);
    await recordLoad(state, artefact.digest, NOW);
    expect(await keptLoads(state)).toEqual([{ digest: artefact.digest, at: NOW }]);
    const { folder: _folder, ...expected } = artefact;
    expect(await readKept(state, artefact.digest)).toMatchObject(expected);
  });

  test('five stay, the newest last; the files of older ones go', async () => {
    const state = await tempFolder();
    const digests: string[] = [];
    for (let i = 0; i < 7; i++) digests.push(await load(state, `9.0.0.${i}`, NOW + i));
    expect((await keptLoads(state)).map(({ digest }) => digest)).toEqual(digests.slice(2));
    expect((await readdir(join(state, 'kept'))).filter((name) => name !== 'loads.json')).toHaveLength(5);
    expect(await readKept(state, digests[1] ?? '')).toBeUndefined();
    expect((await readKept(state, digests[2] ?? ''))?.digest).toBe(digests[2]);
  });

  test('one that is loaded again becomes the newest, once; without a change its date stays', async () => {
    const state = await tempFolder();
    const first = await load(state, '9.0.0.1', NOW);
    const second = await load(state, '9.0.0.2', NOW + 1);
    await recordLoad(state, second, NOW + 2);
    await load(state, '9.0.0.1', NOW + 3);
    expect(await keptLoads(state)).toEqual([
      { digest: second, at: NOW + 1 },
      { digest: first, at: NOW + 3 },
    ]);
  });

  test('a damaged artefact is not kept, nor one under the name of another', async () => {
    const state = await tempFolder();
    const digest = await load(state, '9.0.0.1', NOW);
    const folder = join(state, 'kept', digest.slice(7, 23));
    await writeFile(join(folder, 'nodes4.txt'), '9.0.0.2\n');
    expect(await readKept(state, digest)).toBeUndefined();
    await rm(folder, { recursive: true });
    expect(await readKept(state, digest)).toBeUndefined();
    const other = `${digest.slice(0, 23)}${'0'.repeat(48)}`;
    await stash(state, await artefactOf(['9.0.0.1']));
    expect(await readKept(state, other)).toBeUndefined();
    expect((await readKept(state, digest))?.digest).toBe(digest);
  });
});
