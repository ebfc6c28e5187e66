import { chmod, readFile, stat } from 'node:fs/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { Namespace } from './namespace.js';
import { must, type Ran, run } from './processes.js';
import { Project } from './project.js';
import { describeSystem, READABLE, READABLE_CLI, systemTest } from './requirements.js';

const SERVICE = 64_321;

describeSystem(
  'bans of root, and the user of the nightly update',
  ['root', 'netns', 'mountns', 'nft', 'setpriv'],
  () => {
    let host: Namespace;
    let project: Project;
    beforeEach(async () => {
      host = await Namespace.create();
      project = await Project.create([{ id: 'mine', lines: ['45.9.20.1'] }]);
    });
    afterEach(async () => {
      await host.remove();
      await project.remove();
    });

    /** Root with a umask of its own. */
    const root = (umask: string, ...command: string[]) =>
      host.must(['sh', '-c', `umask ${umask}; exec "$@"`, 'sh', ...project.argv(...command)]);
    /** As the unit runs: its state is a folder of its own in that of root. */
    async function told(): Promise<Ran> {
      await must(['install', '-d', '-o', String(SERVICE), project.path('state', 'update')]);
      const user = ['setpriv', '--reuid', String(SERVICE), '--regid', String(SERVICE), '--clear-groups'];
      const place = `BLOCKLIST_STATE_DIR=${project.path('state', 'update')}`;
      const bans = [process.execPath, READABLE_CLI, 'bans', '--config', project.config];
      return run([...READABLE, ...user, 'env', place, ...bans]);
    }
    const addresses = ({ stdout }: Ran) =>
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).address ?? JSON.parse(line).records);

    for (const umask of ['077', '002']) {
      systemTest(`with umask ${umask} of root the bans can be read, and nobody else may write them`, [], async () => {
        await root(umask, 'build');
        await root(umask, 'apply');
        await root(umask, 'ban', '45.9.61.1');
        expect(addresses(await told())).toEqual([1, '45.9.61.1']);
        for (const name of ['local.json', 'kept/loads.json']) {
          expect([name, (await stat(project.path('state', name))).mode & 0o777]).toEqual([name, 0o644]);
        }
        for (const folder of ['state', 'state/kept', 'state/boot', 'rules']) {
          expect([folder, (await stat(project.path(folder))).mode & 0o777]).toEqual([folder, 0o755]);
        }
        // One that was closed before is open after the next ban.
        await chmod(project.path('state', 'local.json'), 0o600);
        await root(umask, 'ban', '45.9.61.2');
        expect(addresses(await told())).toEqual([2, '45.9.61.1', '45.9.61.2']);
      });
    }

    systemTest('a folder that may not be looked into is not one without bans', [], async () => {
      await root('022', 'ban', '45.9.61.1');
      await told();
      await chmod(project.path('state'), 0o711);
      await chmod(project.path('state', 'local.json'), 0o600);
      expect(await told()).toMatchObject({ status: 5, stdout: '' });
      await chmod(project.path('state'), 0o700);
      expect(await told()).toMatchObject({ status: 5, stdout: '' });
      expect(await readFile(project.path('state', 'local.json'), 'utf8')).toContain('45.9.61.1');
    });
  },
);
