import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readKey } from '../../src/sources/key-file.js';
import { problemOf, tempFolder } from '../io/temp.js';
import { must } from '../system/processes.js';

async function keyFile(content: string | Buffer, mode = 0o600): Promise<string> {
  const path = join(await tempFolder(), 'key');
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

describe('the key', () => {
  test.each<[what: string, content: string, key: string]>([
    ['alone', 'abc123', 'abc123'],
    ['with a line end', 'abc123\n', 'abc123'],
    ['with CRLF', 'abc123\r\n', 'abc123'],
    ['with blanks around', '  abc123\t \n', 'abc123'],
    ['of user and password', 'user:pass\n', 'user:pass'],
    ['of all kinds of characters', '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~\n', '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'],
    ['before other lines', 'abc123\nabuse.ch, until 2027\n', 'abc123'],
    ['as long as a file may be', 'k'.repeat(4096), 'k'.repeat(4096)],
  ])('%s', async (_, content, key) => {
    expect(await readKey(await keyFile(content))).toBe(key);
  });

  test.each<[what: string, content: string | Buffer]>([
    ['nothing', ''],
    ['an empty line', '\n'],
    ['blanks', '   \n'],
    ['an empty first line', '\nabc123\n'],
    ['a blank inside', 'abc 123\n'],
    ['a tab inside', 'abc\t123\n'],
    ['CR alone inside', 'abc\rX-Evil: 1\n'],
    ['a zero', 'abc\u0000\n'],
    ['an escape', '\u001b[31mabc\n'],
    ['DEL', 'abc\u007f\n'],
    ['a letter beyond ASCII', 'schlüssel\n'],
    ['bytes that are no UTF-8', Buffer.from([0x61, 0xff, 0x62])],
    ['UTF-16', Buffer.from('\ufeffabc', 'utf16le')],
  ])('is refused: %s', async (_, content) => {
    const path = await keyFile(content);
    const problem = await problemOf(() => readKey(path));
    expect(problem).toMatchObject({ code: 'source-key', where: path, exitStatus: 2 });
    expect(problem.message).not.toContain('abc');
  });
});

describe('who may read it', () => {
  test.each([0o600, 0o400, 0o640, 0o440, 0o660, 0o700, 0o770])('mode %o is fine', async (mode) => {
    expect(await readKey(await keyFile('abc123\n', mode))).toBe('abc123');
  });

  test.each([0o604, 0o644, 0o602, 0o601, 0o666, 0o777])('mode %o is refused', async (mode) => {
    const path = await keyFile('abc123\n', mode);
    expect(await problemOf(() => readKey(path))).toMatchObject({
      code: 'source-key',
      where: path,
      hint: `chmod o= ${path}`,
      exitStatus: 2,
    });
  });

  test('of a link, the mode of the file behind it counts', async () => {
    const closed = await keyFile('abc123\n');
    await symlink(closed, `${closed}.link`);
    expect(await readKey(`${closed}.link`)).toBe('abc123');
    const open = await keyFile('abc123\n', 0o644);
    await symlink(open, `${open}.link`);
    expect(await problemOf(() => readKey(`${open}.link`))).toMatchObject({ code: 'source-key' });
  });
});

describe('what is no key file', () => {
  test('no file', async () => {
    const path = join(await tempFolder(), 'key');
    expect(await problemOf(() => readKey(path))).toMatchObject({ code: 'file-unreadable', where: path });
  });

  test('a folder', async () => {
    expect(await problemOf(async () => readKey(await tempFolder()))).toMatchObject({ code: 'file-unreadable' });
  });

  test('a pipe is not waited for', async () => {
    const path = join(await tempFolder(), 'pipe');
    await must(['mkfifo', path]);
    expect(await problemOf(() => readKey(path))).toMatchObject({ code: 'file-unreadable' });
  });

  test('a large file is refused, and not called a list', async () => {
    const path = await keyFile('k'.repeat(4097));
    const problem = await problemOf(() => readKey(path));
    expect(problem).toMatchObject({ where: path });
    expect(`${problem.message} ${problem.hint}`).not.toMatch(/\blist\b/);
  });
});
