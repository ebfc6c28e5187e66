import { appendFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { Namespace } from './namespace.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const LINES = ['45.9.20.7', '45.9.20.9', '80.0.0.16/29', '91.200.1.0/24', '2a02:4780::/32'];

/** Changes one file of the artefact. */
type Edit = (project: Project) => Promise<void>;

function replaceIn(file: string, from: string | RegExp, to: string): Edit {
  return async (project) => {
    const path = project.path('rules', file);
    const text = await readFile(path, 'utf8');
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`${file} has no ${from}`);
    await writeFile(path, changed);
  };
}

function append(file: string, text: string): Edit {
  return (project) => appendFile(project.path('rules', file), text);
}

/** The lines of nodes4.txt are 45.9.20.7, 45.9.20.9; those of nets4.txt 80.0.0.16/29, 91.200.1.0/24. */
const EDITS: ReadonlyArray<readonly [what: string, edit: Edit, where: string]> = [
  ['a foreign statement', append('blocklist.nft', 'delete table inet filter\n'), 'blocklist.nft:45'],
  ['flush ruleset in front', replaceIn('blocklist.nft', /^add table/m, 'flush ruleset\nadd table'), 'blocklist.nft:9'],
  ['an include', replaceIn('blocklist.nft', /^add table/m, 'include "/etc/passwd"\nadd table'), 'blocklist.nft:9'],
  ['a verdict', replaceIn('blocklist.nft', 'counter name "dropped" drop', 'accept'), 'blocklist.nft:40'],
  ['an address only in the script', replaceIn('blocklist.nft', '45.9.20.7,', '45.9.20.5,'), 'blocklist.nft:28'],
  ['another digest in the script', replaceIn('blocklist.nft', /sha256:./, 'sha256:_'), 'blocklist.nft:3'],
  ['the script with CRLF', replaceIn('blocklist.nft', /\n/g, '\r\n'), 'blocklist.nft:1'],
  ['a digest of other lists', replaceIn('manifest.json', /sha256:[0-9a-f]{4}/, 'sha256:0000'), 'manifest.json'],
  ['a digest that is none', replaceIn('manifest.json', /sha256:[0-9a-f]{4}/, 'sha256:zzzz'), 'manifest.json'],
  ['a manifest that is not JSON', append('manifest.json', ','), 'manifest.json'],
  ['a manifest with another key', replaceIn('manifest.json', '"layout"', '"mode": 1, "layout"'), 'manifest.json'],
  ['a manifest of another layout', replaceIn('manifest.json', '"layout": 1', '"layout": 2'), 'manifest.json'],
  ['lines out of order', replaceIn('nodes4.txt', /(.*)\n(.*)\n/, '$2\n$1\n'), 'nodes4.txt:1'],
  ['a line twice', append('nodes4.txt', '45.9.20.9\n'), 'nodes4.txt:3'],
  ['a list that is not minimal', append('nets4.txt', '91.200.1.128/25\n'), 'nets4.txt:3'],
  [
    'two halves in place of a block',
    replaceIn('nets4.txt', '80.0.0.16/29', '80.0.0.16/30\n80.0.0.20/30'),
    'nets4.txt:1',
  ],
  ['a block among the nodes', append('nodes4.txt', '45.9.22.0/24\n'), 'nodes4.txt:3'],
  ['an address in another notation', replaceIn('nodes4.txt', '45.9.20.7', '45.9.20.7/32'), 'nodes4.txt:1'],
  ['host bits', replaceIn('nets4.txt', '91.200.1.0/24', '91.200.1.1/24'), 'nets4.txt:2'],
  ['IPv6 in capitals', replaceIn('nets6.txt', '2a02', '2A02'), 'nets6.txt:1'],
  ['IPv4 in a list of IPv6', append('nets6.txt', '45.10.0.0/24\n'), 'nets4.txt:1'],
  ['text behind an address', replaceIn('nodes4.txt', '45.9.20.9', '45.9.20.9; add rule'), 'nodes4.txt:2'],
  ['a number behind an address', replaceIn('nodes4.txt', '45.9.20.9', '45.9.20.9 255'), 'nodes4.txt:2'],
  ['a comment', replaceIn('nodes4.txt', '45.9.20.9', '45.9.20.9 # mine'), 'nodes4.txt:2'],
  ['an empty line', append('nodes4.txt', '\n'), 'nodes4.txt:3'],
  ['no line end at the end', replaceIn('nodes4.txt', /\n$/, ''), 'nodes4.txt:2'],
  ['a list with CRLF', replaceIn('nodes4.txt', /\n/g, '\r\n'), 'nodes4.txt:1'],
  ['a byte order mark', replaceIn('nodes4.txt', /^/, '\uFEFF'), 'nodes4.txt:1'],
  ['a word', append('nodes4.txt', 'localhost\n'), 'nodes4.txt:3'],
  ['a list without the last line', replaceIn('nodes4.txt', '45.9.20.9\n', ''), 'blocklist.nft:3'],
];

describeSystem('an artefact changed by hand', ['root', 'netns', 'nft', 'ip'], () => {
  let namespace: Namespace;
  let project: Project;
  let before: string;
  beforeAll(async () => {
    namespace = await Namespace.create();
    // Something is loaded already: a refusal must leave it alone.
    await namespace.nft(
      'add table inet blocklist\nadd set inet blocklist nodes4 { type ipv4_addr; elements = { 9.0.0.1 }; }',
    );
    await namespace.nft('add table inet filter\nadd chain inet filter input { type filter hook input priority 0; }');
    before = await namespace.ruleset();
  });
  beforeEach(async () => {
    project = await Project.create([{ id: 'mine', lines: LINES }]);
    await project.done(undefined, 'build');
  });
  afterEach(() => project.remove());
  afterAll(() => namespace.remove());

  systemTest('the artefact as it is can be loaded: what is refused below is the change', [], async () => {
    expect((await project.blocklist(namespace, 'apply', '--dry-run')).status).toBe(0);
  });

  for (const [what, edit, where] of EDITS) {
    systemTest(`${what}: exit status 2 at ${where}, the kernel as before`, [], async () => {
      await edit(project);
      const refused = await project.blocklist(namespace, 'apply');
      expect(refused.status).toBe(2);
      expect(refused.stderr).toContain(`rules/${where}`);
      expect(refused.stderr).toContain('do: ');
      expect(await namespace.ruleset()).toBe(before);
    });
  }

  for (const file of ['blocklist.nft', 'nets6.txt', 'manifest.json']) {
    systemTest(`${file} is missing: exit status 2, named, the kernel as before`, [], async () => {
      await rm(project.path('rules', file));
      const refused = await project.blocklist(namespace, 'apply', '--json');
      expect(refused.status).toBe(2);
      expect(JSON.parse(refused.stderr).error).toMatchObject({
        code: 'artefact-missing',
        where: project.path('rules', file),
        hint: 'render the rules first: blocklist build',
      });
      expect(await namespace.ruleset()).toBe(before);
    });
  }

  systemTest('--json: one error object with code, place and advice', [], async () => {
    await append('blocklist.nft', 'flush ruleset\n')(project);
    const refused = await project.blocklist(namespace, 'apply', '--json');
    expect(refused.stdout).toBe('');
    expect(refused.stderr.trim().split('\n')).toHaveLength(1);
    const { error } = JSON.parse(refused.stderr);
    expect(error).toMatchObject({ code: 'artefact-invalid', where: `${project.path('rules', 'blocklist.nft')}:45` });
    expect(error.hint).toContain('blocklist build');
  });

  systemTest('status refuses it, too, and a build mends it', [], async () => {
    await append('nodes4.txt', 'localhost\n')(project);
    expect((await project.blocklist(namespace, 'status')).status).toBe(2);
    await project.done(undefined, 'build');
    expect((await project.blocklist(namespace, 'apply', '--dry-run')).status).toBe(0);
  });

  systemTest('no artefact at all: exit status 2 with the command that makes one', [], async () => {
    await rename(project.rules, project.path('elsewhere'));
    const refused = await project.blocklist(namespace, 'apply');
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('blocklist build');
    expect(await namespace.ruleset()).toBe(before);
  });
});
