import { appendFile, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readArtefact, readManifest, writeArtefact } from '../../src/apply/artefact-store.js';
import { renderArtefact } from '../../src/render/artefact.js';
import { DEFAULT_POLICY } from '../../src/render/default-policy.js';
import { ruleSets } from '../render/golden.js';
import { contents, filesOf, inFolder, refusal } from './artefacts.js';

const OLD = filesOf(['45.9.20.7', '91.200.1.0/24']);
const NEW = filesOf(['45.9.20.8', '2a02:4780::/32']);
const OUT = filesOf(['45.9.20.7'], ['77.91.64.0/22']);
const NAMES = ['blocklist.nft', 'nodes4.txt', 'nets4.txt', 'nodes6.txt', 'nets6.txt', 'manifest.json'];
const OUT_NAMES = ['out_nodes4.txt', 'out_nets4.txt', 'out_nodes6.txt', 'out_nets6.txt'];

function texts(files: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('utf8')]));
}

/** Leaves a folder as a crash does: these files are already in the staging folder, the rest is not. */
async function stage(folder: string, files: ReadonlyMap<string, Uint8Array>, names: readonly string[]): Promise<void> {
  await mkdir(join(folder, '.next'), { recursive: true });
  for (const name of names) await writeFile(join(folder, '.next', name), files.get(name) ?? '');
}

/** Which of the artefacts a folder reads as. */
async function readAs(folder: string): Promise<string> {
  const script = Buffer.from((await readArtefact(folder)).script).toString('utf8');
  const known = Object.entries({ OLD, NEW, OUT }).find(([, files]) => texts(files)['blocklist.nft'] === script);
  return known?.[0] ?? 'another one';
}

describe('write and read', () => {
  test('what is written is there, nothing else, and reads as the same', async () => {
    await inFolder(async (folder) => {
      await writeArtefact(folder, OLD);
      expect(await contents(folder)).toEqual(texts(OLD));
      expect(Object.keys(await contents(folder)).sort()).toEqual([...NAMES].sort());
      const read = await readArtefact(folder);
      expect(Buffer.from(read.script).toString('utf8')).toBe(texts(OLD)['blocklist.nft']);
      expect(read.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(read.digest).toBe(read.manifest.digest);
      expect(read.folder).toBe(folder);
      expect(read.sets.out).toBeUndefined();
      expect(read.sets.in.nodes4.size).toBe(1);
      expect(read.sets.in.nets4.size).toBe(1);
    });
  });

  test('outbound sets are read as such', async () => {
    await inFolder(async (folder) => {
      await writeArtefact(folder, OUT);
      const { sets } = await readArtefact(folder);
      expect([sets.out?.nodes4.size, sets.out?.nets4.size, sets.out?.nets6.size]).toEqual([0, 1, 0]);
    });
  });

  test('a new artefact replaces the old one, in a folder that did not exist, too', async () => {
    await inFolder(async (parent) => {
      const folder = join(parent, 'a', 'rules');
      await writeArtefact(folder, OLD);
      await writeArtefact(folder, NEW);
      expect(await contents(folder)).toEqual(texts(NEW));
    });
  });

  test('lists of outbound sets are removed when there are none any more', async () => {
    await inFolder(async (folder) => {
      await writeArtefact(folder, OUT);
      expect(Object.keys(await contents(folder)).sort()).toEqual([...NAMES, ...OUT_NAMES].sort());
      await writeArtefact(folder, NEW);
      expect(await contents(folder)).toEqual(texts(NEW));
    });
  });

  test('files of others in the folder stay', async () => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, 'README'), 'ours\n');
      await writeArtefact(folder, OUT);
      await writeArtefact(folder, NEW);
      expect(await contents(folder)).toEqual({ ...texts(NEW), README: 'ours\n' });
    });
  });

  test('the same bytes again write nothing', async () => {
    await inFolder(async (folder) => {
      await writeArtefact(folder, OLD);
      const facts = async () => {
        const all = NAMES.map((name) => stat(join(folder, name), { bigint: true }));
        return (await Promise.all(all)).map(({ ino, mtimeNs }) => `${ino} ${mtimeNs}`);
      };
      const before = await facts();
      await writeArtefact(folder, OLD);
      expect(await facts()).toEqual(before);
    });
  });

  test('a damaged old manifest does not stop a new artefact', async () => {
    await inFolder(async (folder) => {
      await writeArtefact(folder, OLD);
      await writeFile(join(folder, 'manifest.json'), '{');
      await writeArtefact(folder, NEW);
      expect(await contents(folder)).toEqual(texts(NEW));
    });
  });
});

describe('after a crash', () => {
  test('an incomplete staging folder counts for nothing: the old artefact is read', async () => {
    for (let written = 0; written < NAMES.length; written++) {
      await inFolder(async (folder) => {
        await writeArtefact(folder, OLD);
        await stage(folder, NEW, NAMES.slice(0, written));
        expect(await readAs(folder), `${written} written`).toBe('OLD');
      });
    }
  });

  test('a complete one is the artefact, however many of its files have been moved', async () => {
    for (let moved = 0; moved < NAMES.length; moved++) {
      await inFolder(async (folder) => {
        await writeArtefact(folder, OLD);
        await stage(folder, NEW, NAMES);
        for (const name of NAMES.slice(0, moved)) await rename(join(folder, '.next', name), join(folder, name));
        expect(await readAs(folder), `${moved} moved`).toBe('NEW');
        expect((await readManifest(folder))?.sets.nets6?.prefixes).toBe(1);
      });
    }
  });

  test('the next write finishes the move, even when it has nothing new', async () => {
    await inFolder(async (folder) => {
      await writeArtefact(folder, OUT);
      await stage(folder, NEW, NAMES);
      await rename(join(folder, '.next', 'blocklist.nft'), join(folder, 'blocklist.nft'));
      await writeArtefact(folder, NEW);
      expect(await contents(folder)).toEqual(texts(NEW));
    });
  });

  test('the next write replaces an incomplete one', async () => {
    await inFolder(async (folder) => {
      await writeArtefact(folder, OLD);
      await stage(folder, OUT, ['blocklist.nft', 'out_nets4.txt']);
      await writeArtefact(folder, NEW);
      expect(await contents(folder)).toEqual(texts(NEW));
    });
  });
});

describe('what is refused', () => {
  test('nothing there: artefact-missing with the command that helps', async () => {
    await inFolder(async (folder) => {
      const error = await refusal(readArtefact(folder));
      expect([error.code, error.exitStatus, error.where]).toEqual([
        'artefact-missing',
        2,
        join(folder, 'manifest.json'),
      ]);
      expect(error.hint).toContain('blocklist build');
      expect(await readManifest(folder)).toBeUndefined();
    });
  });

  test('a manifest that names outbound sets whose lists are not there', async () => {
    await inFolder(async (folder) => {
      await writeArtefact(folder, OLD);
      await writeFile(join(folder, 'manifest.json'), texts(OUT)['manifest.json'] ?? '');
      const error = await refusal(readArtefact(folder));
      expect([error.code, error.where]).toEqual(['artefact-missing', join(folder, 'out_nodes4.txt')]);
    });
  });

  test.each<[what: string, change: (policy: { only: { ports: number[] } }) => unknown, where: string]>([
    ['other ports', ({ only }) => ({ drop: 'all', only: { ports: [...only.ports, 993] } }), 'blocklist.nft'],
    ['no ports', () => ({ drop: 'all', only: { ports: [] } }), 'blocklist.nft'],
    ['ports in another order', () => ({ drop: 'all', only: { ports: [80, 22] } }), 'manifest.json'],
    ['no policy of only', () => ({ drop: 'all' }), 'blocklist.nft'],
  ])('a manifest with %s than the script', async (_what, change, where) => {
    await inFolder(async (folder) => {
      const sets = ruleSets({ in: ['45.9.20.7'], only: ['88.198.0.0/16'], ports: [22, 80] });
      await writeArtefact(folder, renderArtefact(sets, []));
      expect((await readArtefact(folder)).sets.only?.ports).toEqual([22, 80]);
      const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
      await writeFile(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, policy: change(manifest.policy) }));
      const error = await refusal(readArtefact(folder));
      expect(error).toMatchObject({ code: 'artefact-invalid', where: expect.stringContaining(where) });
    });
  });

  test.each<[what: string, change: (policy: object) => object, words: string]>([
    ['ports in another order', (policy) => ({ ...policy, ports: [443, 22] }), 'policy.ports: not ascending'],
    ['a port twice', (policy) => ({ ...policy, ports: [22, 22] }), 'policy.ports: not ascending'],
    ['interfaces in another order', (policy) => ({ ...policy, skipInterfaces: ['wg1', 'wg0'] }), 'not ascending'],
    ['an interface that ends the text', (policy) => ({ ...policy, skipInterfaces: ['a" drop'] }), 'policy.skipInterf'],
    ['a key that is not known', (policy) => ({ ...policy, accept: true }), 'accept'],
    ['another drop', (policy) => ({ ...policy, drop: 'none' }), 'policy.drop'],
    ['no drop', ({ drop: _drop, ...policy }: { drop?: string }) => policy, 'policy.drop'],
    ['a rate of zero', (policy) => ({ ...policy, log: { count: 0, per: 'minute' } }), 'policy.log.count'],
    ['a default written out', (policy) => ({ ...policy, alsoOutbound: false }), 'policy.alsoOutbound'],
    ['another log rate', (policy) => ({ ...policy, log: { count: 9, per: 'minute' } }), 'blocklist.nft'],
    ['no log', ({ log: _log, ...policy }: { log?: object }) => policy, 'blocklist.nft'],
    ['another drop than the script', (policy) => ({ ...policy, drop: 'all' }), 'blocklist.nft'],
    ['outbound, too', (policy) => ({ ...policy, alsoOutbound: true }), 'blocklist.nft'],
  ])('a policy with %s: artefact-invalid', async (_what, change, words) => {
    await inFolder(async (folder) => {
      const policy = { drop: 'new', ports: [22, 443], log: { count: 10, per: 'minute' } } as const;
      await writeArtefact(folder, filesOf(['45.9.20.7'], undefined, policy));
      const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
      expect(manifest.policy).toEqual(policy);
      expect((await readArtefact(folder)).sets.policy).toEqual({ ...DEFAULT_POLICY, ...policy });
      await writeFile(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, policy: change(manifest.policy) }));
      const error = await refusal(readArtefact(folder));
      expect(error).toMatchObject({ code: 'artefact-invalid', message: expect.stringContaining(words) });
    });
  });

  test('outbound lists that the manifest does not name are not part of it', async () => {
    await inFolder(async (folder) => {
      await writeArtefact(folder, OLD);
      await writeFile(join(folder, 'out_nets4.txt'), '0.0.0.0/0\n');
      expect((await readArtefact(folder)).sets.out).toBeUndefined();
    });
  });

  test('a staged artefact is proven like any other', async () => {
    await inFolder(async (folder) => {
      await writeArtefact(folder, OLD);
      await stage(folder, NEW, NAMES);
      await appendFile(join(folder, '.next', 'blocklist.nft'), 'flush ruleset\n');
      expect((await refusal(readArtefact(folder))).code).toBe('artefact-invalid');
    });
  });

  test.each([
    ['a set of no family', { nodes5: { prefixes: 1, addresses: '1' } }],
    ['a set with a path in its name', { '../nodes4': { prefixes: 1, addresses: '1' } }],
    ['a number of prefixes below zero', { nodes4: { prefixes: -1, addresses: '1' } }],
  ])('a manifest with %s', async (_what, sets) => {
    await inFolder(async (folder) => {
      await writeArtefact(folder, OLD);
      const manifest = JSON.parse(texts(OLD)['manifest.json'] ?? '');
      const bad = { ...manifest, sets };
      await writeFile(join(folder, 'manifest.json'), JSON.stringify(bad));
      expect((await refusal(readArtefact(folder))).code).toBe('artefact-invalid');
      expect(await readManifest(folder)).toBeUndefined();
    });
  });
});

test('a script of the same length that does something else is refused', async () => {
  await inFolder(async (folder) => {
    await writeArtefact(folder, filesOf(['45.9.20.7', '91.200.1.0/24']));
    const script = join(folder, 'blocklist.nft');
    await writeFile(
      script,
      (await readFile(script, 'utf8')).replace('inet blocklist dropping drop', 'inet blocklist dropping jump'),
    );
    expect((await refusal(readArtefact(folder))).code).toBe('artefact-invalid');
  });
});
