import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blocklist, folderWith, projectWith } from './cli.js';

const NETWORKS = '45.9.0.0,45.9.0.255,4134,Chinanet\n45.9.2.0,45.9.2.127,9808,China Mobile\n';
/** No server: what is to be fetched from there is not on this host. */
const NOWHERE = '{url: "http://127.0.0.1:9/db"}';

async function why(cwd: string, ...args: string[]) {
  const { status, stdout, stderr } = await blocklist(['why', ...args, '--json'], { cwd });
  if (stdout === '') throw new Error(stderr);
  const { answers, unread } = JSON.parse(stdout);
  const ids = answers.map(({ sources }: { sources: { id: string }[] }) => sources.map(({ id }) => id));
  return { status, unread, ids, answers };
}

/** Names and content of every file below a folder. */
async function contents(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = found.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  return Promise.all(paths.sort().map(async (path) => `${path} ${await readFile(path, 'latin1')}`));
}

/** Rules of two networks and a country, built from files. */
async function built(): Promise<string> {
  const cwd = await projectWith(
    'sources: {asns: [4134, 9808], countries: {block: [kp]}}\ngeo: {asn: asn.csv}\nlocal: {auto: []}\n',
    { 'asn.csv': NETWORKS },
  );
  const { status, stderr } = await blocklist(['build'], { cwd });
  if (status !== 0) throw new Error(stderr);
  return cwd;
}

async function reconfigure(cwd: string, from: string, to: string): Promise<void> {
  const text = await readFile(join(cwd, 'blocklist.yaml'), 'utf8');
  await writeFile(join(cwd, 'blocklist.yaml'), text.replace(from, to));
}

const ASKED = [['45.9.0.7'], ['45.9.0.0/28']];

test.each(ASKED)(
  '%s: a database of networks that is not on this host: nobody is told that no source lists it',
  async (asked) => {
    const cwd = await built();
    expect(await why(cwd, asked)).toMatchObject({ status: 0, ids: [['asn-4134']] });
    await reconfigure(cwd, 'asn: asn.csv', `asn: ${NOWHERE}`);
    expect(await why(cwd, asked)).toMatchObject({
      status: 3,
      ids: [[]],
      unread: [
        { id: 'asn-4134', code: 'source-never-fetched' },
        { id: 'asn-9808', code: 'source-never-fetched' },
      ],
    });
    const { stdout, stderr } = await blocklist(['why', asked], { cwd });
    expect(stdout).not.toContain('no source lists it');
    expect(stderr).toMatch(/ {2}asn-4134, asn-9808: .*database of networks.* \(run: blocklist update\)\n/);
  },
);

test('without a country database an address is not of an unknown country', async () => {
  const cwd = await projectWith('sources: {countries: {block: [kp], unknown: drop}}\nlocal: {auto: []}\n');
  expect((await blocklist(['build'], { cwd })).status).toBe(0);
  await writeFile(
    join(cwd, 'blocklist.yaml'),
    `${await readFile(join(cwd, 'blocklist.yaml'), 'utf8')}geo: {country: ${NOWHERE}}\n`,
  );
  const { status, ids, unread } = await why(cwd, '8.1.1.1', '175.45.176.1');
  expect([status, ids]).toEqual([3, [[], []]]);
  expect(unread.map(({ id }: { id: string }) => id)).toEqual(['country-kp', 'country-unknown']);
});

test('whole networks: what is not kept in the cache is read from the databases, and nothing is written', async () => {
  const cwd = await built();
  const asked = ['45.9.0.0/28', '45.9.0.0/16', '45.9.2.64/26', '175.45.176.0/23', '175.45.0.0/16', '9.9.9.0/24'];
  const expected = [['asn-4134'], ['asn-4134', 'asn-9808'], ['asn-9808'], ['country-kp'], ['country-kp'], []];
  const sound = await why(cwd, ...asked);
  expect(sound).toMatchObject({ status: 0, ids: expected });
  expect(sound.answers[1].sources.map((each: { addresses: string }) => each.addresses)).toEqual(['256', '128']);
  await rm(join(cwd, 'cache'), { recursive: true });
  const before = await contents(cwd);
  expect(await why(cwd, ...asked)).toEqual(sound);
  expect(await contents(cwd)).toEqual(before);
});

test('whole networks where nothing was ever built: who would list them, and nothing is written', async () => {
  const cwd = await folderWith({
    'blocklist.yaml': 'sources: {countries: {block: [kp]}}\npaths: {cache: cache, state: state}\n',
  });
  const { status, ids, unread } = await why(cwd, '175.45.176.0/24');
  expect([status, ids, unread]).toMatchObject([3, [['country-kp']], [{ id: 'rules' }]]);
  expect(await readdir(cwd)).toEqual(['blocklist.yaml']);
});
