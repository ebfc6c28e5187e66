import { access, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { filesOf } from '../apply/artefacts.js';
import { liveSet } from './live-sets.js';
import { Namespace } from './namespace.js';
import { must, type Ran } from './processes.js';
import { OWNER, TestRepository } from './repository.js';
import { CLI, describeSystem, systemTest } from './requirements.js';

const LINES = ['45.9.20.7', '91.200.1.0/24', '2a02:4780::/32'];

describeSystem('apply --ref', ['root', 'netns', 'nft', 'ip', 'git', 'setpriv'], () => {
  let namespace: Namespace;
  let folder: string;
  let repository: TestRepository;
  beforeEach(async () => {
    namespace = await Namespace.create();
    folder = await mkdtemp('/tmp/blocklist-ref-');
    await chmod(folder, 0o755);
    repository = await TestRepository.create(join(folder, 'clone'));
    await repository.render(LINES);
    await configure();
  });
  afterEach(async () => {
    await namespace.remove();
    await rm(folder, { recursive: true, force: true });
  });

  /** Root's own configuration, outside the repository. */
  async function configure(...lines: readonly string[]): Promise<void> {
    const paths = `paths: {rules: ${repository.rules}, cache: ${folder}/cache, state: ${folder}/state}`;
    await writeFile(join(folder, 'blocklist.yaml'), [paths, ...lines, ''].join('\n'));
  }

  function command(...words: readonly string[]): Promise<Ran> {
    return namespace.run([process.execPath, CLI, ...words, '--config', join(folder, 'blocklist.yaml')]);
  }

  function apply(...options: readonly string[]): Promise<Ran> {
    return command('apply', ...options);
  }

  /** The refusal of what `--ref` names, with the kernel as it was before. */
  async function refused(ref = 'main') {
    const before = await namespace.ruleset();
    const { status, stderr } = await apply('--ref', ref, '--json');
    expect(await namespace.ruleset()).toBe(before);
    const { error } = JSON.parse(stderr);
    return { status, ...error } as { status: number; code: string; where?: string; message: string; hint?: string };
  }

  systemTest('the kernel holds what the commit holds, not what lies in the work tree', [], async () => {
    const commit = await repository.commit();
    await repository.render(['45.9.20.8']);
    const { status, stderr } = await apply('--ref', 'main');
    expect(stderr).toContain(`loaded main (commit ${commit.slice(0, 7)})`);
    expect(status).toBe(0);
    expect(await liveSet(namespace, 'nodes4')).toEqual(['45.9.20.7']);
    expect((await apply('--ref', commit)).stderr).toContain('nothing to do');
    await rm(repository.rules, { recursive: true });
    expect((await apply('--ref', 'main', '--dry-run')).status).toBe(0);
  });

  systemTest(
    'what a person decides then needs no rules of root’s: confirm, ban, allow, rollback, status, unload',
    [],
    async () => {
      await repository.commit();
      expect((await apply('--ref', 'main', '--confirm', '60s')).status).toBe(0);
      expect(await command('confirm')).toMatchObject({ status: 0, stderr: expect.stringContaining('confirmed') });
      for (const words of [
        ['ban', '203.0.113.9'],
        ['unban', '203.0.113.9'],
        ['allow', '45.9.20.7'],
        ['status', '--ref', 'main'],
      ]) {
        expect(await command(...words), words.join(' ')).toMatchObject({ status: 0 });
      }
      await repository.render([...LINES, '45.9.20.9']);
      await repository.commit();
      expect((await apply('--ref', 'main')).status).toBe(0);
      expect(await command('rollback')).toMatchObject({ status: 0 });
      expect(await liveSet(namespace, 'nodes4')).toEqual(['45.9.20.7']);
      expect(await command('unload', '--yes')).toMatchObject({ status: 0 });
      // It was written down where the night looks.
      expect((await apply('--ref', 'main', '--repair')).stderr).toContain('not loaded: unloaded by');
    },
  );

  systemTest('whom the commit allows, no ban hits, on a host that knows no list itself', [], async () => {
    await repository.render(LINES, undefined, { 'lists/allow.txt': ['45.9.70.0/24'], cloudflare: ['45.9.80.0/24'] });
    await repository.commit();
    expect(await command('ban', '45.9.80.7', '45.9.81.7')).toMatchObject({ status: 0 });
    expect((await apply('--ref', 'main')).status).toBe(0);
    expect(await liveSet(namespace, 'ban4')).toEqual(['45.9.81.7']);
    for (const address of ['45.9.80.1', '45.9.70.1']) {
      const { status, stderr } = await command('ban', address, '--json');
      expect([status, JSON.parse(stderr).error.code]).toEqual([4, 'ban-allowed']);
    }
    expect(await command('ban', '45.9.81.8')).toMatchObject({ status: 0 });
    expect(await command('status', '--ref', 'main')).toMatchObject({ status: 0 });
    // In a folder of somebody else root reads nothing for why: here there is none, and the rules that are loaded tell.
    const elsewhere = `paths: {rules: ${folder}/rules, cache: ${folder}/cache, state: ${folder}/state}\n`;
    await writeFile(join(folder, 'blocklist.yaml'), elsewhere);
    expect((await command('why', '45.9.80.1')).stdout).toContain(
      'allowed for all hosts by cloudflare, when the loaded rules were rendered: 45.9.80.0/24',
    );
  });

  for (const [what, from, to] of [
    ['is none', '45.9.80.0/24', '45.9.80.0/99'],
    ['is not in canonical form', '45.9.80.0/24', '45.9.80.7/24'],
  ] as const) {
    systemTest(`an allowed prefix that ${what} is refused`, [], async () => {
      await repository.render(LINES, undefined, { cloudflare: ['45.9.80.0/24'] });
      const text = await readFile(join(repository.rules, 'manifest.json'), 'utf8');
      await repository.write('rules/manifest.json', text.replace(from, to));
      await repository.commit();
      expect(await refused()).toMatchObject({ status: 2, code: 'artefact-invalid', where: 'main:rules/manifest.json' });
    });
  }

  systemTest('a tag, a remote branch, an abbreviated commit and a full name lead there, too', [], async () => {
    const commit = await repository.commit();
    await repository.git('tag', '-a', '-m', 'x', 'v1.4');
    await repository.git('update-ref', 'refs/remotes/origin/main', commit);
    for (const ref of ['v1.4', 'origin/main', commit.slice(0, 8), 'refs/heads/main', 'HEAD']) {
      expect(await apply('--ref', ref, '--dry-run'), ref).toMatchObject({ status: 0 });
    }
  });

  systemTest('a tag named as the branch decides nothing: both are named', [], async () => {
    await repository.commit();
    await repository.render(['9.9.20.7']);
    await repository.commit();
    await repository.git('tag', 'main', 'HEAD~1');
    expect(await refused()).toMatchObject({
      status: 2,
      code: 'bad-ref',
      hint: 'say which one: refs/heads/main or refs/tags/main',
    });
    expect((await apply('--ref', 'refs/heads/main', '--dry-run')).status).toBe(0);
  });

  systemTest('a repository that only its owner may read is read with the owner’s rights', [], async () => {
    await repository.commit();
    await chmod(repository.folder, 0o700);
    // Root without the capability to pass over modes: what is read is read by the owner.
    expect((await apply('--ref', 'main', '--dry-run')).status).toBe(0);
  });

  systemTest('nothing that a repository can have run is run', [], async () => {
    const marks = join(folder, 'marks');
    await mkdir(marks);
    await chmod(marks, 0o777);
    const mark = join(marks, 'mark');
    const command = join(marks, 'bait');
    await writeFile(command, `#!/bin/sh\ntouch ${mark}\n`);
    await chmod(command, 0o755);
    await repository.write('.gitattributes', '* filter=f diff=f\n');
    await repository.commit();
    const blob = (await repository.git('rev-parse', 'main:rules/nets4.txt')).trim();
    for (const hook of [
      'post-checkout',
      'post-index-change',
      'reference-transaction',
      'pre-auto-gc',
      'fsmonitor-watchman',
    ]) {
      await repository.write(`.git/hooks/${hook}`, `#!/bin/sh\ntouch ${mark}\n`, 0o755);
    }
    await repository.write('more.config', `[alias]\n\tcat-file = "!${command}"\n[core]\n\tpager = ${command}\n`);
    await repository.write(
      '.git/config',
      [
        '[core]\n\trepositoryformatversion = 1',
        ...['fsmonitor', 'sshCommand', 'pager', 'editor', 'askPass', 'gitProxy', 'alternateRefsCommand'].map(
          (key) => `\t${key} = ${command}`,
        ),
        '\tworktree = /nonexistent',
        `[filter "f"]\n\tsmudge = ${command}\n\tclean = ${command}\n\tprocess = ${command}\n\trequired = true`,
        `[diff "f"]\n\ttextconv = ${command}\n\tcommand = ${command}`,
        `[alias]\n\tcat-file = "!${command}"`,
        `[pager]\n\tcat-file = ${command}`,
        `[credential]\n\thelper = "!${command}"`,
        `[remote "origin"]\n\turl = "ext::${command}"\n\tpromisor = true\n\tuploadpack = ${command}\n\t`,
        '[protocol]\n\tallow = always\n[protocol "ext"]\n\tallow = always\n[protocol "file"]\n\tallow = always',
        '[extensions]\n\tpartialClone = origin',
        `[include]\n\tpath = ${repository.folder}/more.config`,
        '',
      ].join('\n'),
    );
    expect((await apply('--ref', 'main', '--dry-run')).stderr).toContain('dry run');
    // An object that only the promised remote has: git would fetch it.
    await rm(join(repository.folder, '.git/objects', blob.slice(0, 2), blob.slice(2)));
    expect(await refused()).toMatchObject({ status: 5, code: 'git-failed' });
    await expect(access(mark)).rejects.toThrow('ENOENT');
    // The bait is good: git as people call it takes it.
    await repository.git(`--work-tree=${repository.folder}`, 'status').catch(() => undefined);
    await access(mark);
  });

  systemTest('replaced objects are not taken for what they replace', [], async () => {
    const commit = await repository.commit();
    await repository.render(['9.9.20.7']);
    const other = await repository.commit();
    await repository.git('replace', other, commit);
    expect((await apply('--ref', other)).status).toBe(0);
    expect(await liveSet(namespace, 'nodes4')).toEqual(['9.9.20.7']);
  });

  systemTest('an object whose bytes were exchanged is refused', [], async () => {
    await repository.commit();
    const id = async (name: string) => (await repository.git('rev-parse', `main:rules/${name}`)).trim();
    const at = (hex: string) => join(repository.folder, '.git/objects', hex.slice(0, 2), hex.slice(2));
    await must(['cp', '-f', at(await id('nets4.txt')), at(await id('nodes4.txt'))]);
    expect(await refused()).toMatchObject({ status: 5, code: 'git-failed' });
  });

  systemTest('alternates that only root may read lead nowhere', [], async () => {
    await repository.commit();
    const hidden = join(folder, 'hidden');
    await must(['mv', join(repository.folder, '.git/objects'), hidden]);
    await must(['chown', '-R', '0:0', hidden]);
    await chmod(hidden, 0o700);
    await repository.write('.git/objects/info/alternates', `${hidden}\n`);
    const { status, code } = await refused();
    expect([status, ['bad-ref', 'git-failed'].includes(code)]).toEqual([code === 'bad-ref' ? 2 : 5, true]);
  });

  for (const [what, lines, code, where] of [
    ['half of IPv4', ['0.0.0.0/1'], 'never-block', 'nets4 0.0.0.0/1'],
    ['a private net', ['45.9.20.7', '10.0.0.0/8'], 'never-block', 'nets4 10.0.0.0/8'],
    ['a public resolver', ['8.8.8.8', '45.9.20.7'], 'never-block', 'nodes4 8.8.8.8'],
    ['a net around a root server', ['2001:7fd::/32'], 'never-block', 'nets6 2001:7fd::/32'],
    ['an eighth of IPv4', ['32.0.0.0/3'], 'rules-too-wide', 'nets4 32.0.0.0/3'],
    ['all of Europe', ['2a00::/12'], 'rules-too-wide', 'nets6 2a00::/12'],
  ] as const) {
    systemTest(`${what}, though consistent: exit status 4, the kernel as before`, [], async () => {
      await repository.render(lines);
      await repository.commit();
      expect(await refused()).toMatchObject({ status: 4, code, where });
      await must(['chown', '-R', '0:0', repository.folder]);
      expect((await apply()).status).toBe(4);
    });
  }

  systemTest('the limits are those of root’s configuration, and so are countries', [], async () => {
    await repository.render(['6.0.0.0/7']);
    await repository.commit();
    expect(await refused()).toMatchObject({ status: 4, code: 'rules-too-wide' });
    await configure('sources: {countries: {block: [cn]}}');
    expect(await refused()).toMatchObject({ status: 4, code: 'rules-too-wide' });
    await configure('sources: {countries: {block: [us]}}');
    expect((await apply('--ref', 'main', '--dry-run')).status).toBe(0);
    await writeFile(join(folder, 'asn.csv'), '6.0.0.0,7.255.255.255,721,DoD\n45.9.0.0,45.9.0.255,2,Two\n');
    await configure('geo: {asn: asn.csv}', 'sources: {asns: [2]}');
    expect(await refused()).toMatchObject({ status: 4, code: 'rules-too-wide' });
    await configure('geo: {asn: asn.csv}', 'sources: {asns: [721]}');
    expect((await apply('--ref', 'main', '--dry-run')).status).toBe(0);
    await chmod(join(folder, 'asn.csv'), 0o666);
    expect(await refused()).toMatchObject({ status: 2, code: 'config-owner', where: join(folder, 'asn.csv') });
    await configure('guards: {max-prefix-v4: 7}');
    expect((await apply('--ref', 'main', '--dry-run')).status).toBe(0);
    await configure('guards: {max-prefix-v4: 7, max-coverage: 0.5%}');
    expect(await refused()).toMatchObject({ status: 4, code: 'coverage-limit' });
  });

  systemTest('an administrator who would be locked out: exit status 4', [], async () => {
    await repository.commit();
    await configure('local: {admins: [91.200.1.9]}');
    expect(await refused()).toMatchObject({ status: 4, code: 'lockout', where: 'main:rules' });
  });

  systemTest('a foreign statement, a wrong digest, a link: exit status 2, the place named', [], async () => {
    const files = filesOf(LINES);
    const text = (name: string) => Buffer.from(files.get(name) ?? []).toString('utf8');
    await repository.write('rules/blocklist.nft', `${text('blocklist.nft')}flush ruleset\n`);
    await repository.commit();
    const line = text('blocklist.nft').split('\n').length;
    expect(await refused()).toMatchObject({
      status: 2,
      code: 'artefact-invalid',
      where: `main:rules/blocklist.nft:${line}`,
    });
    await repository.write('rules/blocklist.nft', text('blocklist.nft'));
    await repository.write('rules/manifest.json', text('manifest.json').replace(/sha256:.{4}/, 'sha256:0000'));
    await repository.commit();
    expect(await refused()).toMatchObject({ status: 2, code: 'artefact-invalid', where: 'main:rules/manifest.json' });
    await repository.write('rules/manifest.json', text('manifest.json'));
    await repository.link('rules/nodes4.txt', '/etc/shadow');
    await repository.commit();
    const link = await refused();
    expect(link).toMatchObject({ status: 2, code: 'artefact-invalid', where: 'main:rules/nodes4.txt' });
    expect(link.message).toContain('a symbolic link, not a file');
  });

  for (const ref of ['--upload-pack=x', 'main:rules', 'main^{tree}', 'a..b', '@{-1}', 'a b', 'a\nb', ':/x', '']) {
    systemTest(`${JSON.stringify(ref)} is no ref: exit status 2`, [], async () => {
      await repository.commit();
      expect(await refused(ref)).toMatchObject({ status: 2, code: 'bad-ref', where: '--ref' });
    });
  }

  systemTest('no such ref, a ref without rules, no repository: exit status 2', [], async () => {
    await repository.commit();
    expect(await refused('next')).toMatchObject({ status: 2, code: 'bad-ref', where: 'next' });
    await rm(repository.rules, { recursive: true });
    await repository.commit();
    expect(await refused()).toMatchObject({ status: 2, code: 'artefact-missing', where: 'main:rules/manifest.json' });
    await rm(join(repository.folder, '.git'), { recursive: true });
    expect(await refused()).toMatchObject({ status: 2, code: 'repository-missing' });
  });

  systemTest('parts that belong to several users: exit status 2', [], async () => {
    await repository.commit();
    await must(['chown', '0', repository.folder]);
    expect(await refused()).toMatchObject({ status: 2, code: 'repository-owner' });
    await must(['chown', '-R', '0:0', repository.folder]);
    expect((await apply('--ref', 'main', '--dry-run')).status).toBe(0);
    await chmod(join(repository.folder, '.git/config'), 0o666);
    expect(await refused()).toMatchObject({
      status: 2,
      code: 'repository-owner',
      where: join(repository.folder, '.git/config'),
    });
  });

  systemTest('the configuration must be root’s, wherever the rules come from', [], async () => {
    await repository.write('blocklist.yaml', 'paths: {rules: rules}\n');
    await repository.commit();
    const config = join(repository.folder, 'blocklist.yaml');
    const { status, stderr } = await namespace.run([
      process.execPath,
      CLI,
      'apply',
      '--ref',
      'main',
      '--config',
      config,
    ]);
    expect([status, stderr.includes(`belongs to user ${OWNER}`)]).toEqual([2, true]);
  });

  systemTest('without --ref the folder of another user is refused as ever', [], async () => {
    await repository.commit();
    expect((await apply()).status).toBe(2);
  });

  systemTest('a worktree and a bare clone are repositories, too', [], async () => {
    await repository.commit();
    await repository.git('worktree', 'add', '-q', '.trees/live', '-b', 'live');
    const { rules } = repository;
    const bare = join(folder, 'bare.git');
    await must(['cp', '-a', join(repository.folder, '.git'), bare]);
    for (const place of [join(repository.folder, '.trees/live/rules'), join(bare, 'rules')]) {
      repository = new TestRepository(join(place, '..'));
      await configure();
      expect(await apply('--ref', 'live', '--dry-run'), place).toMatchObject({ status: 0 });
    }
    expect(rules).not.toBe(repository.rules);
  });
});
