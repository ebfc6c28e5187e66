import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeMmdb } from '../sources/geo/mmdb-writer.js';
import { refuses, sends, testServer } from '../sources/server.js';
import { run } from '../system/processes.js';
import { CLI } from '../system/requirements.js';
import { blocklist, folderWith, projectWith } from './cli.js';

describe('update of a list whose server says no', () => {
  test.each([403, 404, 429, 500, 503])('%i: last good serves, exit status 3', async (status) => {
    const server = await testServer(sends('5.6.7.8\n'));
    const folder = await projectWith(`sources: {custom: [{id: far, url: "${server.origin}/list"}]}`);
    await blocklist(['update'], { cwd: folder });
    server.answer = refuses(status);
    const ran = await blocklist(['update'], { cwd: folder });
    expect(ran.status).toBe(3);
    expect(ran.stderr).toContain(`far: the server answered ${status}`);
  });
});

test('a damaged country database does not take the other sources with it', async () => {
  const bytes = writeMmdb({ recordSize: 24, ipVersion: 4, networks: [['5.0.0.0/8', { country_code: 'AA' }]] });
  bytes.writeUIntBE(0xfffff0, 3, 3);
  const folder = await projectWith('sources: {custom: [{id: a, file: a.txt}], countries: {block: [aa]}}', {
    'a.txt': '5.6.7.8\n',
  });
  await writeFile(join(folder, 'db.mmdb'), bytes);
  const yaml =
    'sources: {custom: [{id: a, file: a.txt}], countries: {block: [aa]}}\ngeo: {country: db.mmdb}\npaths: {cache: cache, state: state}\n';
  await writeFile(join(folder, 'blocklist.yaml'), yaml);
  const { status, stderr } = await blocklist(['build'], { cwd: folder });
  expect(stderr).not.toContain('this is a defect');
  expect(status).toBe(3);
});

test('--json: stderr is one object, also when sources had problems', async () => {
  const folder = await projectWith('sources: {custom: [{id: a, file: none.txt}]}');
  const { status, stderr } = await blocklist(['build', '--json'], { cwd: folder });
  expect(status).toBe(4);
  expect(() => JSON.parse(stderr)).not.toThrow();
});

test('--quiet still names a failing source the first time', async () => {
  const folder = await projectWith('sources: {custom: [{id: a, file: a.txt}, {id: b, file: none.txt}]}', {
    'a.txt': '5.6.7.8\n',
  });
  const { status, stderr } = await blocklist(['build', '--quiet'], { cwd: folder });
  expect(status).toBe(3);
  expect(stderr).toContain('b: ');
});

test('a closed stderr does not turn rejected lines (3) into findings (1)', async () => {
  const folder = await folderWith({ 'bad.txt': '192.0.2.1\noops\n' });
  const line = `(sleep 0.5; '${process.execPath}' '${CLI}' merge bad.txt; echo $? >status) 2>&1 >out | true; while [ ! -s status ]; do sleep 0.1; done; cat status`;
  expect((await run(['bash', '-c', line], { cwd: folder })).stdout).toBe('3\n');
});

test('merge --format nft of nothing is taken by nft', async () => {
  const { stdout } = await blocklist(['merge', '--format', 'nft'], { stdin: '' });
  const script = `define x = ${stdout}\ntable inet t {\n set s { type ipv4_addr; flags interval; elements = $x ; }\n}\n`;
  expect((await run(['unshare', '-n', 'nft', '-c', '-f', '-'], { stdin: stdout === '' ? '' : script })).status).toBe(0);
});
