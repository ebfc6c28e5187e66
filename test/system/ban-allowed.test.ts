import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { IpSet } from '../../src/ip/index.js';
import { writeAllowFeeds } from '../../src/report/allow-feeds.js';
import { liveSet } from './live-sets.js';
import { Namespace } from './namespace.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

describeSystem('bans and what the configuration allows', ['root', 'netns', 'nft'], () => {
  let host: Namespace;
  let project: Project;
  beforeEach(async () => {
    host = await Namespace.create();
    project = await Project.create([{ id: 'mine', lines: ['45.9.20.1'] }], {
      allow: ['45.9.70.0/24', '2a02:4780::/32'],
    });
    await project.done(host, 'build');
    await project.done(host, 'apply');
  });
  afterEach(async () => {
    await host.remove();
    await project.remove();
  });
  const banned = async () => (await liveSet(host, 'ban4')).map((text) => text.split(' ')[0]);
  const ban = (...words: string[]) => project.blocklist(host, 'ban', ...words);

  systemTest('a list wins: refused with its name, and nothing changes', [], async () => {
    for (const [address, hit] of [
      ['45.9.70.7', '45.9.70.7'],
      ['45.9.64.0/20', '45.9.70.0/24'],
      ['2a02:4780::9', '2a02:4780::9'],
    ] as const) {
      const ran = await ban(address, '--json');
      expect(ran.status).toBe(4);
      const { error } = JSON.parse(ran.stderr);
      expect([error.code, error.where]).toEqual(['ban-allowed', project.path('lists', 'allow.txt')]);
      expect(error.message).toContain(`${hit} is allowed by`);
    }
    expect(await banned()).toEqual([]);
    expect((await ban('45.9.71.7')).status).toBe(0);
  });

  systemTest('a feed wins, too, as it was at the last build; one that is no longer named does not', [], async () => {
    await writeAllowFeeds(project.path('state'), [{ id: 'cloudflare', set: IpSet.from(['45.9.80.0/24']) }]);
    expect((await ban('45.9.80.1')).status).toBe(0);
    const config = await readFile(project.config, 'utf8');
    await writeFile(project.config, config.replace('allow.txt]', 'allow.txt], feeds: [cloudflare]'));
    const ran = await ban('45.9.80.2');
    expect(ran.stderr).toContain('45.9.80.2 is allowed by cloudflare; nothing was changed');
    expect(ran.status).toBe(4);
    // Damaged from outside it is as if there was no build yet.
    await project.write('state/allow-feeds.json', '{"version":1,"feeds":[{"id":"cloudflare","prefixes":["x"]}]}');
    expect((await ban('45.9.80.3')).status).toBe(0);
  });

  systemTest('what is allowed later leaves the ban at the next apply, and only that', [], async () => {
    await ban('45.9.72.0/30', '--for', '1h');
    await project.write('lists/allow.txt', '45.9.72.1\n');
    expect((await project.blocklist(host, 'status')).status).toBe(1);
    await project.done(host, 'apply', '--repair');
    expect((await banned()).sort()).toEqual(['45.9.72.0', '45.9.72.2/31']);
    await project.done(host, 'status');
  });

  systemTest('a list that cannot be read does not keep anybody from banning, and is told', [], async () => {
    await project.write('lists/allow.txt', 'nonsense\n');
    const ran = await ban('45.9.71.7', '--quiet');
    expect(ran.stderr).toContain('a list of allowed addresses cannot be read');
    expect(ran.status).toBe(3);
    expect(await banned()).toEqual(['45.9.71.7']);
  });

  systemTest('bans of a program are its own', [], async () => {
    const done = (...words: string[]) => project.done(host, ...words);
    await done('ban', '45.9.61.1', '--by', 'fail2ban sshd', '--for', '604800s');
    await done('ban', '45.9.61.1', '45.9.61.2', '--by', 'other');
    await done('ban', '45.9.61.3');
    expect((await liveSet(host, 'ban4'))[0]).toBe('45.9.61.1');
    const told = await done('unban', '45.9.61.1', '45.9.61.3', '--by', 'other');
    expect(told.stderr).toContain('45.9.61.3 was not banned by other');
    expect(told.stderr).toMatch(/45\.9\.61\.1 is still banned until .* by fail2ban sshd/);
    expect((await banned()).sort()).toEqual(['45.9.61.1', '45.9.61.2', '45.9.61.3']);
    await done('unban', '--by', 'other');
    await done('unban', '--by', 'nobody');
    expect((await banned()).sort()).toEqual(['45.9.61.1', '45.9.61.3']);
    // A person takes back whatever there is.
    await done('unban', '45.9.61.1', '45.9.61.3');
    expect(await banned()).toEqual([]);
    expect((await done('unban', '--by', 'other')).stderr).toBe('nothing is banned by other\n');
    for (const words of [
      ['unban'],
      ['ban'],
      ['ban', '45.9.61.1', '--restore', 'sshd'],
      ['ban', '45.9.61.1', '--by', 'a\nb'],
      ['unban', '--by', ''],
    ])
      expect({ words, status: (await project.blocklist(host, ...words)).status }).toEqual({ words, status: 2 });
  });
});
