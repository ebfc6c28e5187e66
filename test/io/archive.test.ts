import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BlocklistError } from '../../src/errors.js';
import { openBody } from '../../src/io/archive.js';
import { type GzipParts, gzipped, tarred, zipped } from './archives.js';
import { problemOf, tempFolder } from './temp.js';

/** What the archives do to memory, and where they lie, is in archive-hostile.test.ts. */

const LIST = '192.0.2.1\n192.0.2.2\n';
const CAP = 1 << 20;

async function opened(body: Buffer, member?: string): Promise<{ text: string; trailing: number }> {
  const { bytes, trailing } = await openBody(body, { cap: CAP, where: 'WHERE', ...(member && { member }) });
  return { text: bytes.toString('latin1'), trailing };
}

function refusal(body: Buffer, member?: string): Promise<BlocklistError> {
  return problemOf(() => opened(body, member));
}

/** A file that gzip(1) made; the README beside it tells how. */
function fixture(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/gzip/${name}`, import.meta.url));
}

describe('what is not packed', () => {
  test.each<[what: string, body: string]>([
    ['nothing', ''],
    ['one byte', 'a'],
    ['the first byte of the magic', '\x1f'],
    ['the begin of the magic of zip', 'PK\x03'],
    ['a list', LIST],
    ['text as long as a header of tar', '192.0.2.1\n'.repeat(60)],
  ])('%s goes through', async (_, body) => {
    expect(await opened(Buffer.from(body, 'latin1'))).toEqual({ text: body, trailing: 0 });
  });
});

describe('gzip', () => {
  test.each<[name: string, text: string, trailing: number]>([
    ['one.txt.gz', '192.0.2.1\n192.0.2.2\n', 0],
    ['two-members.txt.gz', '192.0.2.1\n192.0.2.2\n198.51.100.1\n', 0],
    ['with-name-and-comment.gz', '192.0.2.1\n', 0],
    ['empty-text.gz', '', 0],
    ['zeros-behind.txt.gz', '192.0.2.1\n192.0.2.2\n', 0],
    ['error-behind.txt.gz', '192.0.2.1\n192.0.2.2\n', 22],
  ])('the file %s of gzip(1)', async (name, text, trailing) => {
    expect(await opened(fixture(name))).toEqual({ text, trailing });
  });

  test.each(['cut-in-header.gz', 'cut-off.txt.gz', 'second-member-cut.gz', 'wrong-checksum.gz'])(
    '%s is refused',
    async (name) => {
      expect(await refusal(fixture(name))).toMatchObject({ code: 'bad-gzip', where: 'WHERE', exitStatus: 5 });
    },
  );

  test.each<[what: string, parts: GzipParts]>([
    ['none', {}],
    ['FTEXT', { isText: true }],
    ['FEXTRA', { extra: 'AB\x02\x00xy' }],
    ['an empty FEXTRA', { extra: '' }],
    ['FEXTRA with zeros and the magic', { extra: '\0\0\x1f\x8b\x08\0' }],
    ['a long FEXTRA', { extra: 'x'.repeat(65_535) }],
    ['FNAME', { name: 'list.txt' }],
    ['an empty FNAME', { name: '' }],
    ['FCOMMENT', { comment: 'a comment' }],
    ['FHCRC', { headerCrc: true }],
    ['all', { isText: true, extra: 'ab', name: 'n', comment: 'c', headerCrc: true }],
  ])('header fields: %s', async (_, parts) => {
    expect(await opened(gzipped(LIST, parts))).toEqual({ text: LIST, trailing: 0 });
  });

  test.each<[what: string, body: Buffer]>([
    ['a wrong checksum', gzipped(LIST, { crc: 1 })],
    ['a wrong length', gzipped(LIST, { size: LIST.length + 1 })],
    ['a reserved flag', gzipped(LIST, { flags: 0x20 })],
    ['another method', gzipped(LIST, { method: 7 })],
    ['data that is not deflated', gzipped(LIST, { deflated: Buffer.from(LIST) })],
    ['no data', gzipped(LIST, { deflated: Buffer.alloc(0) })],
    ['only the magic', Buffer.from([0x1f, 0x8b])],
    ['a name without end', Buffer.from('\x1f\x8b\x08\x08\0\0\0\0\0\x03list.txt', 'latin1')],
    ['FEXTRA beyond the end', Buffer.from('\x1f\x8b\x08\x04\0\0\0\0\0\x03\xff\xffab', 'latin1')],
    ['FEXTRA without length', Buffer.from('\x1f\x8b\x08\x04\0\0\0\0\0\x03', 'latin1')],
    ['a second member with a wrong checksum', Buffer.concat([gzipped(LIST), gzipped(LIST, { crc: 1 })])],
    ['the magic, then text', Buffer.from(`\x1f\x8b${LIST.repeat(9)}`, 'latin1')],
    ['the magic behind a member', Buffer.concat([gzipped(LIST), Buffer.from([0x1f, 0x8b])])],
  ])('refused: %s', async (_, body) => {
    expect(await refusal(body)).toMatchObject({ code: 'bad-gzip', where: 'WHERE' });
  });

  test('cut off anywhere it is refused', async () => {
    const whole = gzipped(LIST, { extra: 'ab', name: 'list.txt', comment: 'c', headerCrc: true });
    for (let size = 2; size < whole.length; size++) {
      expect([size, (await refusal(whole.subarray(0, size))).code]).toEqual([size, 'bad-gzip']);
    }
  });

  test('with any bit turned over it is refused, or the same list', async () => {
    const whole = gzipped(LIST, { name: 'list.txt' });
    for (let bit = 16; bit < whole.length * 8; bit++) {
      const body = Buffer.from(whole);
      body[bit >> 3] = body[bit >> 3]! ^ (1 << (bit & 7));
      const told = await opened(body).catch((error: BlocklistError) => error.code);
      expect([bit, told]).toEqual([bit, typeof told === 'string' ? 'bad-gzip' : { text: LIST, trailing: 0 }]);
    }
  });

  test.each<[what: string, members: Buffer[], text: string]>([
    ['two', [gzipped('a\n'), gzipped('b\n')], 'a\nb\n'],
    ['with empty ones between', [gzipped(''), gzipped('a\n'), gzipped(''), gzipped('b')], 'a\nb'],
    ['with names of their own', [gzipped('a', { name: 'x' }), gzipped('b', { comment: 'y', extra: 'z' })], 'ab'],
    ['five hundred', Array.from({ length: 500 }, () => gzipped('192.0.2.1\n')), '192.0.2.1\n'.repeat(500)],
  ])('members: %s', async (_, members, text) => {
    expect(await opened(Buffer.concat(members))).toEqual({ text, trailing: 0 });
  });

  test.each<[what: string, behind: string, trailing: number]>([
    ['an error text', 'Internal Server Error\n', 22],
    ['a web page', '<html>198.51.100.200</html>', 27],
    ['one byte', '\n', 1],
    ['the first byte of the magic', '\x1f', 1],
    ['the magic of zip', 'PK\x03\x04', 4],
    ['a zero', '\0', 0],
    ['a block of zeros', '\0'.repeat(512), 0],
  ])('behind the end: %s', async (_, behind, trailing) => {
    expect(await opened(Buffer.concat([gzipped(LIST), Buffer.from(behind, 'latin1')]))).toEqual({
      text: LIST,
      trailing,
    });
  });

  test('packed again and again: trailing bytes of all layers count, the fourth layer is not opened', async () => {
    const behind = (packed: Buffer, text: string) => Buffer.concat([packed, Buffer.from(text)]);
    expect(await opened(gzipped(gzipped(LIST)))).toEqual({ text: LIST, trailing: 0 });
    const twice = behind(gzipped(behind(gzipped(LIST), 'abc')), 'de');
    expect(await opened(twice)).toEqual({ text: LIST, trailing: 5 });
    const three = gzipped(gzipped(gzipped(LIST)));
    expect((await opened(three)).text).toBe(LIST);
    expect((await opened(gzipped(three))).text).toBe(gzipped(LIST).toString('latin1'));
  });

  test('what zlib itself packs comes back, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 4 }),
        async (contents) => {
          const text = Buffer.concat(contents).toString('latin1');
          fc.pre(!text.startsWith('\x1f\x8b') && !text.startsWith('PK'));
          expect(await opened(Buffer.concat(contents.map((each) => gzipSync(each))))).toEqual({ text, trailing: 0 });
        },
      ),
      { numRuns: 100, seed: 3 },
    );
  });
});

const SEVERAL = [
  { name: 'README', content: 'read me' },
  { name: 'GeoLite2/Blocks-IPv4.csv', content: 'v4' },
  { name: 'GeoLite2/Blocks-IPv6.csv', content: 'v6' },
  { name: 'old/Blocks-IPv6.csv', content: 'old' },
  { name: 'list.txt', content: 'top' },
  { name: 'old/list.txt', content: 'below' },
];

const KINDS: ReadonlyArray<readonly [kind: string, pack: typeof zipped & typeof tarred]> = [
  ['zip', zipped],
  ['tar', tarred],
  ['tar.gz', (...files) => gzipped(tarred(...files))],
  ['zip in a gzip', (...files) => gzipped(zipped(...files))],
];

describe.each(KINDS)('%s', (kind, pack) => {
  test.each<[what: string, content: string]>([
    ['one file', LIST],
    ['one empty file', ''],
    ['one file of 512 bytes', 'x'.repeat(512)],
    ['one file of many blocks', LIST.repeat(500)],
  ])('%s needs no name', async (_, content) => {
    expect(await opened(pack({ name: 'list.txt', content }))).toEqual({ text: content, trailing: 0 });
  });

  test('its file may be named', async () => {
    expect((await opened(pack({ name: 'a/list.txt', content: LIST }), 'list.txt')).text).toBe(LIST);
  });

  test('its file may be packed itself', async () => {
    expect((await opened(pack({ name: 'list.gz', content: gzipped(LIST) }))).text).toBe(LIST);
  });

  test.each([
    ['README', 'read me'],
    ['Blocks-IPv4.csv', 'v4'],
    ['GeoLite2/Blocks-IPv4.csv', 'v4'],
    ['GeoLite2/Blocks-IPv6.csv', 'v6'],
    ['old/Blocks-IPv6.csv', 'old'],
    ['old/list.txt', 'below'],
  ])('the member %s', async (member, text) => {
    expect((await opened(pack(...SEVERAL), member)).text).toBe(text);
  });

  test('a whole path is meant before the last part of another', async () => {
    expect((await opened(pack(...SEVERAL), 'list.txt')).text).toBe('top');
  });

  test.each<[what: string, member: string | undefined]>([
    ['none is named', undefined],
    ['there is none of this name', 'blocks.csv'],
    ['two have this name', 'Blocks-IPv6.csv'],
    ['it is a part of a name', 'IPv4.csv'],
    ['it is a folder', 'GeoLite2'],
    ['it is the begin of a path', 'GeoLite2/'],
  ])('with several files, refused with their names when %s', async (_, member) => {
    const problem = await refusal(pack(...SEVERAL), member);
    expect(problem).toMatchObject({ code: 'bad-archive', where: 'WHERE', exitStatus: 5 });
    expect(problem.message).toContain('README, GeoLite2/Blocks-IPv4.csv, GeoLite2/Blocks-IPv6.csv');
    expect(problem.hint).toContain('member');
  });

  test('an archive with hundreds of files is told of in a line', async () => {
    const files = Array.from({ length: 700 }, (_, i) => ({
      name: `folder/with-a-long-name/file-${i}.txt`,
      content: 'x',
    }));
    expect((await refusal(pack(...files))).message.length).toBeLessThan(300);
    expect((await opened(pack(...files, { name: 'a/list.txt', content: LIST }), 'list.txt')).text).toBe(LIST);
  });

  test('without any file it is refused', async () => {
    expect(await refusal(pack({ name: 'folder/', type: '5' }))).toMatchObject({ code: 'bad-archive' });
  });

  test('folders are no files', async () => {
    expect((await opened(pack({ name: 'a/', type: '5' }, { name: 'a/list.txt', content: LIST }))).text).toBe(LIST);
  });

  test('cut off it is refused', async () => {
    const whole = pack({ name: 'list.txt', content: LIST.repeat(60) });
    // Behind the data of a tar stand 1024 zeros, which no reader needs.
    const needed = kind === 'tar' ? 512 + LIST.length * 60 : whole.length;
    const code = kind.includes('gz') ? 'bad-gzip' : 'bad-archive';
    for (let size = kind === 'tar' ? 300 : 4; size < needed; size += 1 + (size >> 5)) {
      expect([size, (await refusal(whole.subarray(0, size))).code]).toEqual([size, code]);
    }
    expect((await refusal(whole.subarray(0, needed - 1))).code).toBe(code);
  });
});

describe('tar', () => {
  test.each(['ustar', 'gnu', 'pax'])('what tar(1) packs as %s, with a long path', async (format) => {
    const folder = await tempFolder();
    const path = join('a'.repeat(90), 'b'.repeat(90), 'list.txt');
    await mkdir(join(folder, 'a'.repeat(90), 'b'.repeat(90)), { recursive: true });
    await writeFile(join(folder, path), LIST);
    await writeFile(join(folder, 'README'), 'read me');
    execFileSync('tar', ['--format', format, '-czf', 'x.tgz', 'README', `./${'a'.repeat(90)}`], { cwd: folder });
    const body = await readFile(join(folder, 'x.tgz'));
    expect((await opened(body, 'list.txt')).text).toBe(LIST);
    expect((await opened(body, path)).text).toBe(LIST);
  });

  test.each<[what: string, body: Buffer]>([
    ['a wrong checksum', tarred({ name: 'list.txt', content: LIST, checksum: 1 })],
    ['a file larger than the rest', tarred({ name: 'list.txt', content: LIST, size: 100_000 })],
    ['a second header with a wrong checksum', tarred({ name: 'list.txt', content: LIST }, { name: 'b', checksum: 1 })],
    ['a symbolic link in place of a file', tarred({ name: 'list.txt', type: '2' })],
  ])('refused: %s', async (_, body) => {
    expect(await refusal(body)).toMatchObject({ code: 'bad-archive', where: 'WHERE' });
    expect(await refusal(gzipped(body))).toMatchObject({ code: 'bad-archive', where: 'WHERE' });
  });

  test('bytes behind the gzip of a tar count', async () => {
    const body = Buffer.concat([gzipped(tarred({ name: 'x', content: LIST })), Buffer.from('error')]);
    expect(await opened(body)).toEqual({ text: LIST, trailing: 5 });
  });
});
