import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { type MadeBan, writeFail2ban } from '../sources/fail2ban-database.js';
import { liveSet } from './live-sets.js';
import { Namespace } from './namespace.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const now = () => Math.floor(Date.now() / 1000);

describeSystem('the bans of a jail in one go', ['root', 'netns', 'nft'], () => {
  let host: Namespace;
  let project: Project;
  beforeEach(async () => {
    host = await Namespace.create();
    project = await Project.create([{ id: 'mine', lines: ['45.9.20.1'] }], {
      allow: ['45.9.70.0/24'],
      admins: ['45.9.75.1'],
    });
    const config = await readFile(project.config, 'utf8');
    const database = '  fail2ban: {database: fail2ban/fail2ban.sqlite3}\n';
    await writeFile(project.config, config.replace('sources:\n', `sources:\n${database}`));
    await mkdir(project.path('fail2ban'));
    await written([]);
    await project.done(host, 'build');
    await project.done(host, 'apply');
  });
  afterEach(async () => {
    await host.remove();
    await project.remove();
  });
  const written = (bans: readonly MadeBan[]) => writeFail2ban(project.path('fail2ban', 'fail2ban.sqlite3'), bans);
  const banned = async () => (await liveSet(host, 'ban4')).map((text) => text.split(' ')[0]).sort();

  systemTest('are judged as `ban` judges each of them, and what is left out is told', [], async () => {
    const ips = ['45.9.61.1', '45.9.70.7', '45.9.64.0/20', '45.9.75.1', '64.0.0.0/4', 'root', '45.9.62.0/30'];
    await written(ips.map((ip) => ({ ip, at: now() })));
    await project.done(host, 'ban', '45.9.63.1', '--by', 'fail2ban mail');
    const { stderr } = await project.done(host, 'ban', '--restore', 'sshd');
    expect(stderr).toBe(
      'bans of fail2ban sshd restored: 2; 4 left out, which are allowed, of this host, or too wide; 1 left out, which are no addresses; in force now\n',
    );
    expect(await banned()).toEqual(['45.9.61.1', '45.9.62.0/30', '45.9.63.1']);
    // What fail2ban took back meanwhile is not there any more.
    await written([{ ip: '45.9.61.1', at: now() }]);
    await project.done(host, 'ban', '--restore', 'sshd');
    expect(await banned()).toEqual(['45.9.61.1', '45.9.63.1']);
  });

  systemTest('a name of a jail that nobody could take back, or that is no name, is refused', [], async () => {
    await written([{ ip: '45.9.61.1', at: now(), jail: 'x'.repeat(300) }]);
    for (const name of ['x'.repeat(300), 'a\nb']) {
      expect((await project.blocklist(host, 'ban', '--restore', name)).status).toBe(2);
    }
    // Nothing was written that could not be read again.
    await project.done(host, 'status');
  });

  systemTest('beside a list that cannot be read: by what it held; by nothing at all, none', [], async () => {
    await written(['45.9.61.1', '45.9.70.7'].map((ip) => ({ ip, at: now() })));
    await project.write('lists/allow.txt', '45.9.70.0/240\n');
    const ran = await project.blocklist(host, 'ban', '--restore', 'sshd');
    expect([ran.status, ran.stderr]).toEqual([
      3,
      expect.stringContaining('a list of allowed addresses cannot be read'),
    ]);
    expect(await banned()).toEqual(['45.9.61.1']);
    await project.done(host, 'unban', '--by', 'fail2ban sshd');
    const config = await readFile(project.config, 'utf8');
    await writeFile(project.config, config.replace('allow.txt]', 'allow.txt, more.txt]'));
    expect((await project.blocklist(host, 'ban', '--restore', 'sshd')).status).toBe(5);
    expect(await banned()).toEqual([]);
  });

  systemTest('a database that is damaged, or is not there', [], async () => {
    await project.done(host, 'ban', '45.9.61.1', '--by', 'fail2ban sshd');
    await writeFile(project.path('fail2ban', 'fail2ban.sqlite3'), 'torso');
    expect((await project.blocklist(host, 'ban', '--restore', 'sshd')).status).toBe(5);
    expect(await banned()).toEqual(['45.9.61.1']);
  });
});
