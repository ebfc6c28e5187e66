import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { Namespace } from './namespace.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const LINES = ['45.9.20.7', '45.9.20.9', '80.0.0.16/29', '91.200.1.0/24', '2a02:4780::/32'];

/** What is put in the place of what in which file; END is its end. Of two lines that do not go together the later one is named. */
type Edit = readonly [what: string, file: string, from: string | RegExp, to: string, named?: 'the next line'];
const END = /(?![\s\S])/;

/** Changes a file of the artefact, and tells the line of the change, 1 for the first. */
async function edit(project: Project, [what, file, from, to, named]: Edit): Promise<number> {
  const path = project.path('rules', file);
  const text = await readFile(path, 'utf8');
  const at = typeof from === 'string' ? text.indexOf(from) : text.search(from);
  if (at < 0) throw new Error(`${what}: ${file} has no ${from}`);
  await writeFile(path, text.replace(from, to));
  return text.slice(0, at).split('\n').length + (named === undefined ? 0 : 1);
}

/** The lines of nodes4.txt are 45.9.20.7, 45.9.20.9; those of nets4.txt 80.0.0.16/29, 91.200.1.0/24. */
const EDITS: readonly Edit[] = [
  ['a foreign statement', 'blocklist.nft', END, 'delete table inet filter\n'],
  ['flush ruleset in front', 'blocklist.nft', /^add table/m, 'flush ruleset\nadd table'],
  ['an include', 'blocklist.nft', /^add table/m, 'include "/etc/passwd"\nadd table'],
  ['a verdict', 'blocklist.nft', 'inet blocklist dropping drop', 'inet blocklist dropping accept'],
  ['an address only in the script', 'blocklist.nft', '45.9.20.7,', '45.9.20.5,'],
  ['another digest in the script', 'blocklist.nft', /sha256:./, 'sha256:_'],
  ['the script with CRLF', 'blocklist.nft', /\n/g, '\r\n'],
  ['a digest of other lists', 'manifest.json', /sha256:[0-9a-f]{4}/, 'sha256:0000'],
  ['a digest that is none', 'manifest.json', /sha256:[0-9a-f]{4}/, 'sha256:zzzz'],
  ['a manifest that is not JSON', 'manifest.json', END, ','],
  ['a manifest with another key', 'manifest.json', '"layout"', '"mode": 1, "layout"'],
  ['a manifest of another layout', 'manifest.json', '"layout": 3', '"layout": 1'],
  ['lines out of order', 'nodes4.txt', /(.*)\n(.*)\n/, '$2\n$1\n', 'the next line'],
  ['a line twice', 'nodes4.txt', END, '45.9.20.9\n'],
  ['a list that is not minimal', 'nets4.txt', END, '91.200.1.128/25\n'],
  ['two halves in place of a block', 'nets4.txt', '80.0.0.16/29', '80.0.0.16/30\n80.0.0.20/30', 'the next line'],
  ['a block among the nodes', 'nodes4.txt', END, '45.9.22.0/24\n'],
  ['an address in another notation', 'nodes4.txt', '45.9.20.7', '45.9.20.7/32'],
  ['host bits', 'nets4.txt', '91.200.1.0/24', '91.200.1.1/24'],
  ['IPv6 in capitals', 'nets6.txt', '2a02', '2A02'],
  ['text behind an address', 'nodes4.txt', '45.9.20.9', '45.9.20.9; add rule'],
  ['a number behind an address', 'nodes4.txt', '45.9.20.9', '45.9.20.9 255'],
  ['a comment', 'nodes4.txt', '45.9.20.9', '45.9.20.9 # mine'],
  ['an empty line', 'nodes4.txt', END, '\n'],
  ['no line end at the end', 'nodes4.txt', /\n$/, ''],
  ['a list with CRLF', 'nodes4.txt', /\n/g, '\r\n'],
  ['a byte order mark', 'nodes4.txt', /^/, '\uFEFF'],
  ['a word', 'nodes4.txt', END, 'localhost\n'],
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
    project = await Project.create([{ id: 'mine', lines: LINES }]);
    await project.done(undefined, 'build');
    await rename(project.rules, project.path('as-built'));
  });
  beforeEach(async () => {
    await rm(project.rules, { recursive: true, force: true });
    await cp(project.path('as-built'), project.rules, { recursive: true });
  });
  afterAll(async () => {
    await namespace.remove();
    await project.remove();
  });

  systemTest('the artefact as it is can be loaded: what is refused below is the change', [], async () => {
    expect((await project.blocklist(namespace, 'apply', '--dry-run')).status).toBe(0);
  });

  for (const change of EDITS) {
    const [what, file] = change;
    systemTest(`${file}: ${what}: exit status 2, the line named, the kernel as before`, [], async () => {
      const line = await edit(project, change);
      const where = `${project.path('rules', file)}${file === 'manifest.json' ? '' : `:${line}`}`;
      const refused = await project.blocklist(namespace, 'apply', '--json');
      expect(refused.status).toBe(2);
      expect(JSON.parse(refused.stderr).error).toMatchObject({ code: 'artefact-invalid', where });
      expect(await namespace.ruleset()).toBe(before);
    });
  }

  systemTest('a list without its last line: exit status 2, the kernel as before', [], async () => {
    await edit(project, ['', 'nodes4.txt', '45.9.20.9\n', '']);
    const refused = await project.blocklist(namespace, 'apply');
    expect(refused.status).toBe(2);
    // Only the digest in the header tells: the script is of other lists.
    expect(refused.stderr).toContain('rules/blocklist.nft:3: ');
    expect(await namespace.ruleset()).toBe(before);
  });

  systemTest('IPv4 in a list of IPv6: exit status 2, the kernel as before', [], async () => {
    await edit(project, ['', 'nets6.txt', END, '45.10.0.0/24\n']);
    expect((await project.blocklist(namespace, 'apply')).status).toBe(2);
    expect(await namespace.ruleset()).toBe(before);
  });

  systemTest('IPv4 in a list of IPv6 is found there, not in the list of IPv4', [], async () => {
    await edit(project, ['', 'nets6.txt', END, '45.10.0.0/24\n']);
    expect((await project.blocklist(namespace, 'apply')).stderr).toContain('rules/nets6.txt:2: ');
  });

  for (const change of [
    ['', 'manifest.json', '"prefixes": 2', '"prefixes": 1'],
    ['', 'manifest.json', '"addresses": "264"', '"addresses": "8"'],
  ] as const) {
    systemTest(`a manifest that tells the reviewer ${change[3]}: exit status 2`, [], async () => {
      await edit(project, change);
      expect((await project.blocklist(namespace, 'apply', '--dry-run')).status).toBe(2);
    });
  }

  systemTest('a list in UTF-16 is an artefact changed by hand: exit status 2, the file named', [], async () => {
    await writeFile(project.path('rules', 'nodes4.txt'), Buffer.from('\uFEFF45.9.20.7\n45.9.20.9\n', 'utf16le'));
    const refused = await project.blocklist(namespace, 'apply', '--json');
    expect(refused.status).toBe(2);
    expect(JSON.parse(refused.stderr).error.where).toContain('rules/nodes4.txt');
  });

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
    const line = await edit(project, ['', 'blocklist.nft', END, 'flush ruleset\n']);
    const refused = await project.blocklist(namespace, 'apply', '--json');
    expect(refused.stdout).toBe('');
    expect(refused.stderr.trim().split('\n')).toHaveLength(1);
    const { error } = JSON.parse(refused.stderr);
    expect(error).toMatchObject({
      code: 'artefact-invalid',
      where: `${project.path('rules', 'blocklist.nft')}:${line}`,
    });
    expect(error.hint).toContain('blocklist build');
  });

  systemTest('status refuses it, too, and a build mends it', [], async () => {
    await edit(project, ['', 'nodes4.txt', END, 'localhost\n']);
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
