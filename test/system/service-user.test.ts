import { chmod, readFile, symlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { filesOf } from '../apply/artefacts.js';
import { liveSet } from './live-sets.js';
import { Namespace } from './namespace.js';
import { must, type Ran } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const SERVICE = 64_321;

describeSystem('rules that a service user renders', ['root', 'netns', 'mountns', 'nft', 'ip', 'unshare'], () => {
  let namespace: Namespace;
  let project: Project;
  beforeEach(async () => {
    namespace = await Namespace.create();
    project = await Project.create([{ id: 'mine', lines: ['45.9.20.7', '91.200.1.0/24'] }]);
    await project.done(undefined, 'build');
    await must(['chown', '-R', `${SERVICE}:${SERVICE}`, project.rules]);
    await account(`blocklist:x:${SERVICE}:${SERVICE}::/var/lib/blocklist:/usr/sbin/nologin`);
  });
  afterEach(async () => {
    await namespace.remove();
    await project.remove();
  });

  async function account(line: string): Promise<void> {
    await writeFile(project.path('passwd'), `${await readFile('/etc/passwd', 'utf8')}${line}\n`);
  }

  /** With another list of accounts, in a mount namespace of its own: the machine's stays as it is. */
  function blocklist(...command: readonly string[]): Promise<Ran> {
    const mounted = 'mount --bind "$0" /etc/passwd && exec "$@"';
    return namespace.run(['unshare', '-m', 'sh', '-c', mounted, project.path('passwd'), ...project.argv(...command)]);
  }

  systemTest('root loads them and compares them', [], async () => {
    expect(await blocklist('apply')).toMatchObject({ status: 0 });
    expect(await liveSet(namespace, 'nodes4')).toEqual(['45.9.20.7']);
    expect(await blocklist('status')).toMatchObject({ status: 0 });
  });

  systemTest('an unload is written down: the night leaves it so', [], async () => {
    await blocklist('apply');
    expect(await blocklist('unload', '--yes')).toMatchObject({ status: 0 });
    expect((await blocklist('apply', '--repair')).stderr).toContain('not loaded: unloaded by');
    expect(await namespace.ruleset()).toBe('');
  });

  systemTest('root does not write where the service user could have put a link', [], async () => {
    expect((await blocklist('build')).status).toBe(2);
  });

  systemTest('without that account, or with another number, they are refused', [], async () => {
    await account(`blocklists:x:${SERVICE}:${SERVICE}:::`);
    expect((await blocklist('apply')).status).toBe(2);
    await account(`blocklist:x:${SERVICE + 1}:${SERVICE + 1}:::`);
    expect((await blocklist('apply')).status).toBe(2);
    expect(await namespace.ruleset()).toBe('');
  });

  systemTest('configuration, lists and folders open to all are not the service user’s', [], async () => {
    await must(['chown', String(SERVICE), project.config]);
    expect((await blocklist('apply')).stderr).toContain(`belongs to user ${SERVICE}`);
    await must(['chown', '0', project.config]);
    await must(['chown', String(SERVICE), project.path('lists', 'allow.txt')]);
    expect((await blocklist('apply')).status).toBe(2);
    await must(['chown', '0', project.path('lists', 'allow.txt')]);
    await chmod(project.rules, 0o777);
    expect((await blocklist('apply')).status).toBe(2);
    await chmod(project.rules, 0o755);
    expect((await blocklist('apply')).status).toBe(0);
  });

  systemTest('what the build would not have made is refused by root: exit status 4', [], async () => {
    for (const [name, bytes] of filesOf(['10.0.0.0/8'])) await writeFile(project.path('rules', name), bytes);
    const { status, stderr } = await blocklist('apply', '--json');
    expect([status, JSON.parse(stderr).error.code]).toEqual([4, 'never-block']);
    expect(await namespace.ruleset()).toBe('');
  });

  systemTest('a pipe or a link in place of a list holds nobody up and shows nothing', [], async () => {
    const list = project.path('rules', 'nets4.txt');
    await must(['rm', list]);
    await must(['mkfifo', list]);
    expect(await blocklist('apply')).toMatchObject({ status: 5 });
    await must(['rm', list]);
    await symlink('/etc/shadow', list);
    const { status, stderr } = await blocklist('apply');
    expect(status).toBe(2);
    expect(stderr).not.toMatch(/root:|\*:/);
  });
});
