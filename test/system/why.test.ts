import { readFile, symlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { Namespace } from './namespace.js';
import { must, type Ran } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest, WITHOUT_RIGHTS } from './requirements.js';

const SERVICE = 64_322;

describeSystem('why, and what is loaded', ['root', 'netns', 'mountns', 'nft', 'ip', 'unshare', 'setpriv'], () => {
  let namespace: Namespace;
  let project: Project;
  beforeEach(async () => {
    namespace = await Namespace.create();
    project = await Project.create([{ id: 'mine', lines: ['45.9.20.7', '91.200.1.0/24'] }], {
      auto: ['own-addresses'],
    });
    await project.done(undefined, 'build');
  });
  afterEach(async () => {
    await namespace.remove();
    await project.remove();
  });

  async function answer(...command: string[]) {
    const { status, stdout, stderr } = await project.blocklist(namespace, 'why', '--json', ...command);
    if (stdout === '') throw new Error(stderr);
    const { rules, answers, unread } = JSON.parse(stdout);
    return { status, loaded: rules.loaded, answers, unread };
  }

  systemTest('nothing, these rules, other rules', [], async () => {
    expect(await answer('45.9.20.7')).toMatchObject({ status: 0, loaded: 'none', answers: [{ inKernel: null }] });
    const words = async () => (await project.blocklist(namespace, 'why', '45.9.20.7')).stdout.split('\n')[0];
    expect(await words()).toBe('45.9.20.7: blocked once the rules are loaded');
    await project.done(namespace, 'apply');
    expect(await words()).toBe('45.9.20.7: blocked');
    expect(await answer('45.9.20.7')).toMatchObject({
      loaded: 'these',
      answers: [{ verdict: 'blocked', inKernel: null }],
    });
    await project.configure([{ id: 'mine', lines: ['45.9.20.8', '91.200.0.0/23'] }]);
    await project.done(undefined, 'build');
    const { answers, loaded } = await answer('45.9.20.7', '45.9.20.8', '91.200.1.9', '91.200.0.9', '45.9.99.9');
    expect(loaded).toBe('others');
    expect(answers.map((each: { verdict: string; inKernel: boolean }) => [each.verdict, each.inKernel])).toEqual([
      ['free', true],
      ['blocked', false],
      ['blocked', true],
      ['blocked', false],
      ['free', false],
    ]);
    const said = async (asked: string) => (await project.blocklist(namespace, 'why', asked)).stdout;
    expect(await said('45.9.20.7')).toMatch(/^45\.9\.20\.7: blocked by what is loaded, not by the rules here\n/);
    expect(await said('45.9.20.8')).toMatch(/^45\.9\.20\.8: blocked once these rules are loaded\n/);
    expect(await said('91.200.1.9')).toMatch(/^91\.200\.1\.9: blocked\n/);
    // Of a net the kernel is not asked: that it may block what these rules do not is said.
    expect(await said('45.9.20.0/29')).toContain('\n  other rules are loaded, which may block it\n');
  });

  systemTest('an address of this host that the rules list, where the kernel cannot tell', [], async () => {
    await namespace.ip('addr add 91.200.1.5/30 dev lo');
    const expected = { verdict: 'free', decidedBy: 'let-through', letThrough: [{ what: 'an address of this host' }] };
    expect(await answer('91.200.1.5', '91.200.1.99')).toMatchObject({
      loaded: 'none',
      answers: [expected, { verdict: 'blocked' }],
    });
    const { stdout } = await namespace.run([...WITHOUT_RIGHTS, ...project.argv('why', '91.200.1.5')]);
    expect(stdout).toContain('91.200.1.5: not blocked: this host lets it through\n');
  });

  systemTest('in the second set beside the first', [], async () => {
    await project.done(namespace, 'apply');
    const text = await namespace.must(['nft', 'list', 'table', 'inet', 'blocklist']);
    const turned = text
      .replaceAll(/\bnodes4\b/g, 'nodes4_b')
      .replace(/comment "blocklist layout[^"]*"/, 'comment "other"');
    await namespace.nft(`delete table inet blocklist\n${turned}`);
    expect(await answer('45.9.20.7', '45.9.20.8')).toMatchObject({
      loaded: 'others',
      answers: [{ inKernel: true }, { inKernel: false }],
    });
  });

  systemTest('what a person decided, and an address of this host that the rules list', [], async () => {
    await project.done(namespace, 'apply');
    await project.done(namespace, 'ban', '45.9.77.7', '--reason', 'port scan');
    await project.done(namespace, 'allow', '45.9.20.7');
    expect((await answer('45.9.77.7', '45.9.20.7')).answers).toMatchObject([
      { verdict: 'blocked', decidedBy: 'banned-here', decisions: [{ reason: 'port scan' }] },
      { verdict: 'free', decidedBy: 'allowed-here', rules: [{ element: '45.9.20.7' }] },
    ]);
    await namespace.ip('addr add 91.200.1.5/32 dev lo');
    await namespace.must(['nft', 'add element inet blocklist allow4 { 91.200.1.5 }']);
    expect((await answer('91.200.1.5', '91.200.1.6')).answers).toMatchObject([
      { verdict: 'free', decidedBy: 'let-through', letThrough: [{ what: 'an address of this host' }] },
      { verdict: 'blocked', decidedBy: 'rules' },
    ]);
    // Of a net it is one address less.
    expect((await answer('91.200.1.0/24')).answers).toMatchObject([{ verdict: 'partly', blocked: { in: '255' } }]);
  });

  systemTest('without the right to ask: by the rules', [], async () => {
    const { status, stdout } = await namespace.run([...WITHOUT_RIGHTS, ...project.argv('why', '45.9.20.7')]);
    expect([status, stdout]).toEqual([0, expect.stringContaining('; what is loaded could not be asked')]);
  });

  systemTest('root beside files of the service user: it reads them, writes nothing, follows no link', [], async () => {
    await project.write('passwd', `${await readFile('/etc/passwd', 'utf8')}blocklist:x:${SERVICE}:${SERVICE}:::\n`);
    for (const name of ['rules', 'cache', 'state'])
      await must(['chown', '-R', `${SERVICE}:${SERVICE}`, project.path(name)]);
    const mounted = 'mount --bind "$0" /etc/passwd && exec "$@"';
    const why = (...args: string[]): Promise<Ran> =>
      namespace.run(['unshare', '-m', 'sh', '-c', mounted, project.path('passwd'), ...project.argv('why', ...args)]);
    const before = await must(['find', project.folder, '-printf', '%p %u %T@ %s\n']);
    const { status, stdout } = await why('45.9.20.7', '91.200.1.0/25');
    expect([status, stdout]).toEqual([0, expect.stringContaining('listed by mine as 91.200.1.0/24')]);
    expect(await must(['find', project.folder, '-printf', '%p %u %T@ %s\n'])).toBe(before);
    const parsed = (await must(['find', project.path('cache'), '-name', '*.parsed'])).trim();
    await must(['rm', parsed]);
    await must(['mkfifo', parsed]);
    // Nobody writes into it, and the list itself answers.
    expect(await why('91.200.1.9')).toMatchObject({ status: 0, stdout: expect.stringContaining('listed by mine as') });
    await must(['rm', parsed]);
    await writeFile(project.path('secret'), 'root:secret\n');
    await symlink(project.path('secret'), parsed);
    const leaked = await why('45.9.20.7');
    expect(leaked.status).toBe(0);
    expect(leaked.stdout + leaked.stderr).not.toContain('secret');
  });

  systemTest(
    'a disk that does not give what is kept of a list: it is named, and the rest is answered',
    ['strace'],
    async () => {
      const parsed = (await must(['find', project.path('cache'), '-name', '*.parsed'])).trim();
      const failing = ['strace', '-f', '-qq', '-o', '/dev/null', '-P', parsed, '-e', 'inject=pread64:error=EIO'];
      const { status, stdout, stderr } = await namespace.run([...failing, ...project.argv('why', '45.9.20.7')]);
      expect([status, stdout]).toEqual([3, expect.stringContaining('in the rules as nodes4 45.9.20.7')]);
      expect(stderr).toContain(`mine: cannot read ${parsed}`);
    },
  );

  systemTest(
    'what only one source brings, as root beside a cache of the service user: refused, nothing written',
    [],
    async () => {
      await must(['chown', '-R', `${SERVICE}:${SERVICE}`, project.path('cache')]);
      await must(['find', project.path('cache'), '-name', '*.parsed', '-delete']);
      const before = await must(['find', project.folder, '-printf', '%p %u %T@ %s\n']);
      const { status, stderr } = await project.blocklist(namespace, 'why', '--source', 'mine');
      expect([status, stderr]).toEqual([2, expect.stringContaining(`cache belongs to user ${SERVICE}`)]);
      expect(await must(['find', project.folder, '-printf', '%p %u %T@ %s\n'])).toBe(before);
    },
  );
});
