import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { Namespace } from '../system/namespace.js';
import { run } from '../system/processes.js';
import { Project } from '../system/project.js';
import { CLI, systemTest } from '../system/requirements.js';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
/** Runs a script with the program of this checkout in the place of an installed one. */
const scripted = (script: string, ...variables: string[]) => [
  'env',
  `BLOCKLIST=${process.execPath} ${CLI}`,
  ...variables,
  join(EXAMPLES, script),
];
const made: Array<{ remove(): Promise<void> }> = [];
afterEach(async () => {
  for (const each of made.splice(0)) await each.remove();
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'blocklist-examples-'));
  made.push({ remove: () => rm(path, { recursive: true, force: true }) });
  return path;
}

async function project(...lines: string[]): Promise<Project> {
  const created = await Project.create([{ id: 'offenders', lines }]);
  made.push(created);
  return created;
}

async function namespace(): Promise<Namespace> {
  const created = await Namespace.create();
  made.push(created);
  return created;
}

test('library: merges two lists through the exports of the package', async () => {
  const at = await folder();
  const [a, b] = [join(at, 'a.txt'), join(at, 'b.txt')];
  await writeFile(a, '45.9.0.0/25\n45.9.0.128/25\n198.41.0.4\n');
  await writeFile(b, '2a00:1::/32\nnot an address\n10.0.0.1\n');
  const ran = await run([process.execPath, join(EXAMPLES, 'library/merge.mjs'), a, b]);
  expect(ran.stderr).toContain(`${b}: 2 entries, 1 rejected`);
  expect(ran.stderr).toContain('blocked: 45.9.0.0/24\nblocked: 2a00:1::/32\n');
  expect(ran.stdout).toContain('add element inet blocklist nets4 {\n\t45.9.0.0/24,\n}\n');
  expect(ran.stdout).not.toContain('198.41.0.4');
  expect(ran.status).toBe(0);
});

test('library: an empty result is refused with its exit status', async () => {
  const at = await folder();
  await writeFile(join(at, 'a.txt'), '10.0.0.1\n');
  const ran = await run([process.execPath, join(EXAMPLES, 'library/merge.mjs'), join(at, 'a.txt')]);
  expect(ran.stderr).toContain('empty-result: ');
  expect(ran.stdout).toBe('');
  expect(ran.status).toBe(4);
});

const nightly = ({ config }: Project) => scripted('cron/blocklist-nightly', `BLOCKLIST_CONFIG=${config}`);

systemTest('cron: refreshes and loads, silent on a good night', ['root', 'netns', 'nft'], async () => {
  const [mine, space] = [await project('45.9.0.1', '45.9.1.0/24'), await namespace()];
  const ran = await space.run(nightly(mine));
  expect(ran).toMatchObject({ status: 0, stdout: '', stderr: '' });
  expect(await space.must(['nft', 'list', 'set', 'inet', 'blocklist', 'nodes4'])).toContain('45.9.0.1');
});

systemTest('cron: goes on after exit 3, and hands it on', ['root', 'netns', 'nft'], async () => {
  const [mine, space] = [await project('45.9.0.1'), await namespace()];
  const config = await readFile(mine.config, 'utf8');
  const unreachable = '    - {id: gone, url: "http://127.0.0.1:9/list.txt", timeout: 2}\n';
  await writeFile(mine.config, config.replace('  custom:\n', `  custom:\n${unreachable}`));
  const ran = await space.run(nightly(mine));
  expect(ran.status).toBe(3);
  expect(await space.must(['nft', 'list', 'set', 'inet', 'blocklist', 'nodes4'])).toContain('45.9.0.1');
});

systemTest('cron: stops on a broken configuration and loads nothing', ['root', 'netns', 'nft'], async () => {
  const [mine, space] = [await project('45.9.0.1'), await namespace()];
  await writeFile(mine.config, 'sauces: {}\n');
  const ran = await space.run(nightly(mine));
  expect(ran.stderr).toContain("unknown key sauces, did you mean 'sources'?");
  expect(ran.status).toBe(2);
  expect(await space.must(['nft', 'list', 'ruleset'])).toBe('');
});

systemTest('systemd: the units verify', ['systemd-analyze'], async () => {
  const at = await folder();
  const names = readdirSync(join(EXAMPLES, 'systemd')).filter((name) => /\.(service|timer)$/.test(name));
  for (const name of names) {
    const unit = readFileSync(join(EXAMPLES, 'systemd', name), 'utf8');
    // The one thing a test host lacks is the installed program.
    await writeFile(join(at, name), unit.replaceAll('/usr/local/bin/blocklist', process.execPath));
  }
  const ran = await run(['systemd-analyze', 'verify', '--man=no', ...names.map((name) => join(at, name))]);
  expect(ran).toEqual({ status: 0, stdout: '', stderr: '' });
});

systemTest(
  'git review: the night is a commit, its diff is the change, and it loads',
  ['root', 'netns', 'nft', 'git'],
  async () => {
    const [mine, space] = [await project('45.9.0.1', '45.9.1.0/24'), await namespace()];
    const git = (...argv: string[]) => run(['git', '-C', mine.folder, ...argv]);
    const author = ['AUTHOR', 'COMMITTER'].flatMap((who) => [
      `GIT_${who}_NAME=night`,
      `GIT_${who}_EMAIL=night@localhost`,
    ]);
    const night = () => run(scripted('git-review/nightly-change', ...author), { cwd: mine.folder });
    await git('init', '--quiet', '--initial-branch=main');
    expect(await night()).toMatchObject({ status: 0 });
    await mine.write('lists/offenders.txt', '45.9.0.2\n45.9.1.0/24\n45.9.3.0/24\n');
    const second = await night();
    expect(second.stdout).toContain('added:   2 prefixes\nremoved: 1 prefixes\n');
    expect((await night()).stdout).toBe('no change tonight\n');
    const diff = await git('diff', 'HEAD~1', 'HEAD', '--unified=0', '--', 'rules/nodes4.txt');
    expect(diff.stdout).toContain('-45.9.0.1\n+45.9.0.2\n');
    expect((await git('log', '--format=%s')).stdout).toMatch(/^rules: \+\d+ -\d+ lines\nrules: \+\d+ -0 lines\n$/);
    await mine.done(space, 'apply');
    expect(await space.must(['nft', 'list', 'set', 'inet', 'blocklist', 'nodes4'])).toContain('45.9.0.2');
  },
);
