import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { blocklist, projectWith } from './cli.js';

/** Rules that hold 45.9.1.7, 45.9.2.0/24 and 2a0a:1::/32. */
async function built(more = ''): Promise<string> {
  const cwd = await projectWith(`sources: {custom: [{id: a, file: a.txt}]${more}}\nlocal: {auto: []}\n`, {
    'a.txt': '45.9.1.7\n45.9.2.0/24\n2a0a:1::/32\n',
  });
  const { status, stderr } = await blocklist(['build'], { cwd });
  if (status !== 0) throw new Error(stderr);
  return cwd;
}

async function why(cwd: string, ...args: string[]) {
  const { status, stdout, stderr } = await blocklist(['why', ...args, '--json'], { cwd });
  if (stdout === '') throw new Error(stderr);
  const { answers, unread } = JSON.parse(stdout);
  return { status, unread, verdicts: answers.map(({ verdict }: { verdict: string }) => verdict) };
}

const DAMAGED = [{ id: 'rules', code: 'artefact-invalid' }];

describe('lists that are not those of the manifest', () => {
  test.each<[what: string, name: string, text: string]>([
    ['emptied', 'nets4.txt', ''],
    ['cut off at the end of a line', 'nodes4.txt', '45.9.1.6\n'],
    ['with a line more', 'nodes4.txt', '45.9.1.7\n45.9.9.1\n'],
    ['another family', 'nets6.txt', ''],
  ])('%s: what they do not have may be blocked all the same', async (_, name, text) => {
    const cwd = await built();
    expect(await why(cwd, '45.9.9.9', '45.9.0.0/16')).toMatchObject({ status: 0, verdicts: ['free', 'partly'] });
    await writeFile(join(cwd, 'rules', name), text);
    const asked = await why(cwd, '45.9.9.9', '45.9.0.0/16');
    expect(asked).toMatchObject({ status: 3, unread: DAMAGED, verdicts: ['unknown', 'unknown'] });
  });

  test('what they have stands', async () => {
    const cwd = await built();
    await writeFile(join(cwd, 'rules', 'nodes4.txt'), '');
    expect((await why(cwd, '45.9.2.7', '45.9.1.7', '45.9.2.0/24')).verdicts).toEqual(['blocked', 'unknown', 'blocked']);
  });

  test('with countries.only: whom the rules do not list may be kept out', async () => {
    const cwd = await built(', countries: {only: [de]}');
    // 110.1.1.2 is in Japan.
    const asked = ['110.1.1.2', '45.9.1.7'];
    expect(await why(cwd, ...asked)).toMatchObject({ status: 0, verdicts: ['blocked', 'blocked'] });
    for (const text of ['', 'example\n', undefined]) {
      if (text === undefined) await rm(join(cwd, 'rules', 'only_nets4.txt'));
      else await writeFile(join(cwd, 'rules', 'only_nets4.txt'), text);
      expect(await why(cwd, ...asked)).toMatchObject({ status: 3, unread: DAMAGED, verdicts: ['unknown', 'blocked'] });
    }
  });
});

describe('what cannot be read is told, and the rest is answered', () => {
  async function folderInPlaceOf(path: string): Promise<void> {
    await rm(path);
    await mkdir(path);
  }

  test('a list of the rules', async () => {
    const cwd = await built();
    await folderInPlaceOf(join(cwd, 'rules', 'nodes4.txt'));
    expect(await why(cwd, '45.9.1.7', '2a0a:1::1')).toMatchObject({
      status: 3,
      unread: [{ id: 'rules', code: 'file-unreadable' }],
      verdicts: ['unknown', 'blocked'],
    });
    const { stdout } = await blocklist(['why', '45.9.1.7'], { cwd });
    expect(stdout).toContain('not known: the rules cannot be read\n  listed by a as 45.9.1.7');
  });

  test('the manifest: why, and not that there is none', async () => {
    const cwd = await built();
    const path = join(cwd, 'rules', 'manifest.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(/"layout": \d+/, '"layout": 99'));
    const { status, stdout, stderr } = await blocklist(['why', '45.9.1.7'], { cwd });
    expect([status, stdout]).toEqual([3, expect.stringContaining('listed by a as 45.9.1.7')]);
    expect(stderr).toMatch(/rules: .*manifest\.json: layout: .* \(.*run blocklist build.*\)/);
    await folderInPlaceOf(path);
    const { stderr: unreadable } = await blocklist(['why', '45.9.1.7'], { cwd });
    expect(unreadable).toMatch(/rules: cannot read .*manifest\.json/);
  });

  test('an id in the manifest that is none: it becomes no path, and does not reach the terminal', async () => {
    const cwd = await built();
    const path = join(cwd, 'rules', 'manifest.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"id": "a"', '"id": "..\\u001b[2J/../a"'));
    const { status, stdout, stderr } = await blocklist(['why', '45.9.1.7'], { cwd });
    expect([status, stderr]).toEqual([3, expect.stringContaining('sources.0.id: not the id of a source')]);
    expect(stdout + stderr).not.toContain('\u001b');
  });

  test('the note of the last build', async () => {
    const cwd = await built();
    await folderInPlaceOf(join(cwd, 'state', 'last-build.json'));
    expect(await why(cwd, '45.9.1.7')).toMatchObject({
      status: 3,
      unread: [{ id: 'last build', code: 'file-unreadable' }],
      verdicts: ['blocked'],
    });
  });
});
