import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blocklist, folderWith } from './cli.js';

const YAML = `sources:
  custom: [{id: a, file: a.txt}]
  countries: {block: [kp]}
allow: {files: [allow.txt]}
local: {auto: []}
paths: {cache: cache, state: state}
`;
/** As an editor of another system leaves it: a byte order mark, CRLF, CR alone, and no end of the last line. */
const ALLOW = '\ufeff45.9.50.7 # the partner\r\n\r\n// nobody\r45.9.40.3-45.9.40.9  ;  a range\r\n45.9.51.0/28';

/** A project in which alice has banned these, with rules. */
async function built(...banned: string[]): Promise<string> {
  const entries = banned.map((prefix) => ({ what: 'ban', prefix, since: Date.now() - 1000, author: 'alice' }));
  const cwd = await folderWith({
    'blocklist.yaml': YAML,
    'a.txt': '45.9.2.0/24\n45.9.40.0/28\n',
    'allow.txt': ALLOW,
    'state/local.json': JSON.stringify({ version: 1, entries }),
  });
  const { status, stderr } = await blocklist(['build'], { cwd });
  if (status !== 0) throw new Error(stderr);
  return cwd;
}

async function answers(cwd: string, ...asked: string[]) {
  const { status, stdout, stderr } = await blocklist(['why', ...asked, '--json'], { cwd });
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout).answers;
}

test('lines of an allow file, by number, also those that are ranges', async () => {
  const cwd = await built();
  const range = { by: 'allow-file', entry: '45.9.40.3', words: 'a range' };
  const found = await answers(cwd, '45.9.50.7', '45.9.40.5', '45.9.40.0/28', '45.9.40.10', '45.9.0.0/16');
  expect(found.map((each: { neverBlocked: unknown }) => each.neverBlocked)).toMatchObject([
    [{ where: `${cwd}/allow.txt:1`, entry: '45.9.50.7', words: 'the partner', addresses: '1' }],
    [{ where: `${cwd}/allow.txt:4`, ...range, addresses: '1' }],
    [{ where: `${cwd}/allow.txt:4`, ...range, addresses: '7' }],
    [],
    [{ addresses: '1' }, { addresses: '7' }, { where: `${cwd}/allow.txt:5`, words: '', addresses: '16' }],
  ]);
});

test('what is allowed for all hosts since it was banned here is banned no more', async () => {
  const cwd = await built('45.9.50.7', '45.9.51.0/24');
  expect(await answers(cwd, '45.9.50.7', '45.9.51.0/24', '45.9.51.1', '45.9.51.99')).toMatchObject([
    { verdict: 'free', decidedBy: 'nobody', blocked: { in: '0' } },
    { verdict: 'partly', decidedBy: 'banned-here', blocked: { in: '240' } },
    { verdict: 'free', decidedBy: 'nobody' },
    { verdict: 'blocked', decidedBy: 'banned-here' },
  ]);
  const { stdout } = await blocklist(['why', '45.9.50.7'], { cwd });
  expect(stdout).toMatch(/^45\.9\.50\.7: not blocked: allowed for all hosts, which wins over the ban\n {2}banned on /);
});

test('the user of the nightly update, whose state lies in a folder of its own, sees what was decided here, too', async () => {
  const cwd = await built('45.9.60.0/24');
  const text = YAML.replace('state: state', 'state: state/update');
  await writeFile(join(cwd, 'blocklist.yaml'), text);
  await mkdir(join(cwd, 'state', 'update'));
  expect(await answers(cwd, '45.9.60.1')).toMatchObject([{ verdict: 'blocked', decidedBy: 'banned-here' }]);
});

test('a ban of one address does not decide about its whole net', async () => {
  const cwd = await built('45.9.2.9', '45.9.60.0/24');
  expect(await answers(cwd, '45.9.2.0/24', '45.9.2.9', '45.9.60.0/25')).toMatchObject([
    { verdict: 'blocked', decidedBy: 'rules' },
    { verdict: 'blocked', decidedBy: 'banned-here' },
    { verdict: 'blocked', decidedBy: 'banned-here' },
  ]);
  const { stdout } = await blocklist(['why', '45.9.2.0/24'], { cwd });
  expect(stdout).not.toContain('blocked, banned on this host');
});

test('where a net is, is said of its first address alone', async () => {
  const cwd = await built();
  const [single, net] = [
    await blocklist(['why', '175.45.176.1'], { cwd }),
    await blocklist(['why', '175.0.0.0/8'], { cwd }),
  ];
  expect(single.stdout).toContain('\n  country kp\n');
  expect(net.stdout).toMatch(/\n {2}its first address: country [a-z]{2}\n/);
  const stdin = `${'175.45.176.0/24\n'.repeat(11)}175.45.176.1\n`;
  const lines = (await blocklist(['why', '-'], { cwd, stdin })).stdout.split('\n');
  expect([lines[0], lines[11]]).toEqual([
    '175.45.176.0/24  blocked  country-kp  -',
    '175.45.176.1  blocked  country-kp  kp',
  ]);
});

test('who is allowed here is let through on the way out, too', async () => {
  const entries = [{ what: 'allow', prefix: '45.9.8.0/25', since: Date.now() - 1000, author: 'alice' }];
  const cwd = await folderWith({
    'blocklist.yaml':
      'sources: {custom: [{id: o, file: o.txt, direction: out}]}\npaths: {cache: cache, state: state}\n',
    'o.txt': '45.9.8.0/24\n45.9.9.9\n',
    'state/local.json': JSON.stringify({ version: 1, entries }),
  });
  await blocklist(['build'], { cwd });
  expect(await answers(cwd, '45.9.8.8', '45.9.8.0/24', '45.9.9.9')).toMatchObject([
    { verdict: 'free', blocked: { in: '0', out: '0' } },
    { verdict: 'partly', blocked: { in: '0', out: '128' } },
    { verdict: 'blocked', blocked: { in: '0', out: '1' } },
  ]);
});

test('what of a listed host passes by policy is told, and outbound is blocked where policy says so', async () => {
  const cwd = await folderWith({
    'blocklist.yaml':
      'sources: {custom: [{id: a, file: a.txt}]}\npaths: {cache: cache, state: state}\npolicy: {drop: new, ports: [22, 443], skip-interfaces: [wg0], also-outbound: true}\n',
    'a.txt': '45.9.8.0/24\n',
  });
  await blocklist(['build'], { cwd });
  const { stdout } = await blocklist(['why', '45.9.8.8'], { cwd });
  expect(stdout).toContain(
    '\n  by policy: only what goes to ports 22, 443 is dropped; what this host begins with it goes on; not on wg0\n',
  );
  expect(stdout).toMatch(/^45\.9\.8\.8: blocked, in both directions/);
  expect((await blocklist(['why', '45.9.9.8'], { cwd })).stdout).not.toContain('by policy');
  expect(await answers(cwd, '45.9.8.8')).toMatchObject([{ verdict: 'blocked', blocked: { in: '1', out: '1' } }]);
});
