import { chmod, chown, mkdir } from 'node:fs/promises';
import { beforeEach, expect } from 'vitest';
import { freshProjects } from './fresh.js';
import type { Namespace } from './namespace.js';
import type { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const SOURCES = [{ id: 'mine', lines: ['45.9.20.7', '91.200.0.0/22', '2a02:4780::/32'] }];

describeSystem('guards of apply', ['root', 'netns', 'nft', 'ip'], () => {
  let namespace: Namespace;
  let project: Project;
  let before: string;
  const fresh = freshProjects(SOURCES);
  beforeEach(async () => {
    ({ namespace, project } = await fresh());
    await namespace.nft('add table inet filter\nadd chain inet filter input { type filter hook input priority 0; }');
    before = await namespace.ruleset();
  });

  const lockouts = [
    ['45.9.20.7', '45.9.20.7', 'nodes4'],
    ['91.200.3.200', '91.200.3.200', 'nets4'],
    // one address of the office is listed
    ['45.9.20.0/24', '45.9.20.7', 'nodes4'],
    ['91.0.0.0/8', '91.200.0.0/22', 'nets4'],
    ['2a02:4780:ffff::1', '2a02:4780:ffff::1', 'nets6'],
  ] as const;
  for (const [admin, hit, set] of lockouts) {
    systemTest(`local.admins ${admin} would be locked out: exit status 4, nothing changed`, [], async () => {
      await project.configure(SOURCES, { admins: ['9.0.0.1', admin] });
      for (const command of [['apply'], ['apply', '--dry-run']]) {
        const refused = await project.blocklist(namespace, ...command, '--json');
        expect(refused.status).toBe(4);
        const { error } = JSON.parse(refused.stderr);
        expect(error.code).toBe('lockout');
        expect(error.message).toContain(hit);
        expect(error.message).toContain(set);
        expect(error.hint).toContain(admin);
        expect(await namespace.ruleset()).toBe(before);
      }
    });
  }

  systemTest('the advice helps: allowed and built again, the apply passes', [], async () => {
    await project.configure(SOURCES, { admins: ['91.200.3.200'], allow: ['91.200.3.200'] });
    expect((await project.blocklist(namespace, 'apply')).status).toBe(4);
    await project.done(undefined, 'build');
    expect((await project.blocklist(namespace, 'apply')).status).toBe(0);
  });

  systemTest(
    'an administrator whom no set covers does not matter; one in an outbound set gets no answer',
    [],
    async () => {
      const sources = [...SOURCES, { id: 'outward', direction: 'out' as const, lines: ['9.0.0.0/24'] }];
      await project.configure(sources, { admins: ['9.0.1.0', '45.9.20.8', '2a02:4781::1'] });
      await project.done(undefined, 'build');
      expect((await project.blocklist(namespace, 'apply', '--dry-run')).status).toBe(0);
      await project.configure(sources, { admins: ['9.0.0.1', '45.9.20.8', '2a02:4781::1'] });
      const refused = await project.blocklist(namespace, 'apply', '--json');
      expect(refused.status).toBe(4);
      const { code, message } = JSON.parse(refused.stderr).error;
      expect([code, /9\.0\.0\.1, .* \(set out_nets4\)/.test(message)]).toEqual(['lockout', true]);
      expect(await namespace.ruleset()).toBe(before);
    },
  );

  const NOBODY = 65_534;
  const untrusted: ReadonlyArray<readonly [what: string, change: () => Promise<void>, where: () => string]> = [
    ['the configuration belongs to another user', () => chown(project.config, NOBODY, 0), () => project.config],
    ['everybody may write the configuration', () => chmod(project.config, 0o666), () => project.config],
    [
      'a group may write the configuration',
      () => chmod(project.config, 0o664).then(() => chown(project.config, 0, NOBODY)),
      () => project.config,
    ],
    ['everybody may write its folder', () => chmod(project.folder, 0o777), () => project.folder],
    ['the rules belong to another user', () => chown(project.rules, NOBODY, 0), () => project.rules],
    [
      'everybody may write the manifest',
      () => chmod(project.path('rules/manifest.json'), 0o666),
      () => project.path('rules/manifest.json'),
    ],
    [
      'a list belongs to another user',
      () => chown(project.path('lists/mine.txt'), NOBODY, 0),
      () => project.path('lists/mine.txt'),
    ],
    [
      'everybody may write the list of the allowed',
      () => chmod(project.path('lists/allow.txt'), 0o666),
      () => project.path('lists/allow.txt'),
    ],
  ];
  for (const [what, change, where] of untrusted) {
    systemTest(`root trusts nobody: ${what}: exit status 2, nothing changed`, [], async () => {
      await change();
      for (const command of ['apply', 'build']) {
        const refused = await project.blocklist(namespace, command, '--json');
        expect(refused.status, command).toBe(2);
        expect(JSON.parse(refused.stderr).error).toMatchObject({ code: 'config-owner', where: where() });
      }
      expect(await namespace.ruleset()).toBe(before);
    });
  }

  systemTest('the person who called sudo is trusted', [], async () => {
    await chown(project.config, 1000, 1000);
    await chmod(project.config, 0o664);
    const ran = (uid: string) =>
      namespace.run(['env', `SUDO_UID=${uid}`, `SUDO_GID=${uid}`, ...project.argv('apply', '--json')]);
    expect((await ran('1001')).status).toBe(2);
    expect((await ran('x')).status).toBe(2);
    expect((await ran('1000')).status).toBe(0);
  });

  systemTest('two applies at once: one lock, both end well, the kernel holds the rules', [], async () => {
    const both = await Promise.all([project.blocklist(namespace, 'apply'), project.blocklist(namespace, 'apply')]);
    expect(both.map(({ status }) => status)).toEqual([0, 0]);
    const said = both.map(({ stderr }) => stderr.split(' ')[0]).sort();
    expect(said).toEqual(['loaded', 'nothing']);
    expect((await project.blocklist(namespace, 'status')).status).toBe(0);
  });

  systemTest('a folder that cannot be locked: exit status 5, the kernel as before', [], async () => {
    await mkdir(project.path('state'), { recursive: true });
    await project.write('blocked', 'a file in the place of a folder\n');
    const refused = await namespace.run([
      'env',
      `BLOCKLIST_STATE_DIR=${project.path('blocked')}`,
      ...project.argv('apply', '--json'),
    ]);
    expect(refused.status).toBe(5);
    expect(JSON.parse(refused.stderr).error.code).toBe('file-unwritable');
    expect(await namespace.ruleset()).toBe(before);
  });
});
