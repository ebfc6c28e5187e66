import { readFile, rm } from 'node:fs/promises';
import { beforeEach, expect } from 'vitest';
import { freshProjects } from './fresh.js';
import { liveSet } from './live-sets.js';
import type { Namespace } from './namespace.js';
import type { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

describeSystem('bans of one host on another', ['root', 'netns', 'nft', 'ip', 'ss', 'conntrack'], () => {
  const fresh = freshProjects([{ id: 'mine', lines: ['45.9.20.7'] }]);
  let web: Project;
  let data: Project;
  let webHost: Namespace;
  let dataHost: Namespace;
  beforeEach(async () => {
    ({ project: web, namespace: webHost } = await fresh());
    ({ project: data, namespace: dataHost } = await fresh());
    await data.write(
      'blocklist.yaml',
      `sources: {custom: [{id: mine, file: lists/mine.txt}], bans: [{id: web, file: "${web.path('bans.jsonl')}"}]}
paths: {cache: cache, state: state}
local: {auto: []}
`,
    );
  });

  async function handOver(): Promise<void> {
    const { stdout } = await web.done(webHost, 'bans');
    await web.write('bans.jsonl', stdout);
  }

  systemTest(
    'are in force there with the next build, and gone with the one after they were taken back',
    [],
    async () => {
      await web.done(webHost, 'ban', '45.9.1.7', '91.200.0.0/22', '2a02:4780::/32', '--for', '2h', '--reason', 'scan');
      await handOver();
      await data.done(undefined, 'build');
      await data.done(dataHost, 'apply');
      expect(await liveSet(dataHost, 'nodes4')).toEqual(['45.9.1.7', '45.9.20.7']);
      expect(await liveSet(dataHost, 'nets4')).toEqual(['91.200.0.0/22']);
      expect(await liveSet(dataHost, 'nets6')).toEqual(['2a02:4780::/32']);
      // What came from elsewhere is not handed on as one's own.
      expect((await data.done(dataHost, 'bans')).stdout.trim().split('\n')).toHaveLength(1);
      await web.done(webHost, 'unban', '45.9.1.7');
      await handOver();
      await data.done(undefined, 'build');
      await data.done(dataHost, 'apply');
      expect(await liveSet(dataHost, 'nodes4')).toEqual(['45.9.20.7']);
    },
  );

  systemTest('say by whom, until when and why', [], async () => {
    await web.done(webHost, 'ban', '45.9.1.7', '--until', '2099-01-01', '--reason', 'two\u2028lines? "quoted"');
    await handOver();
    const [header, ban] = (await readFile(web.path('bans.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(header).toMatchObject({ schema: 'blocklist/bans', version: 1, records: 1, host: expect.any(String) });
    expect(ban).toMatchObject({
      address: '45.9.1.7',
      until: '2099-01-01T00:00:00.000Z',
      by: expect.any(String),
      reason: 'two\u2028lines? "quoted"',
    });
  });

  systemTest('a file that is gone, cut off or something else: last good serves, exit status 3', [], async () => {
    await web.done(webHost, 'ban', '45.9.1.7', '45.9.1.9');
    await handOver();
    await data.done(undefined, 'build');
    const whole = await readFile(web.path('bans.jsonl'), 'utf8');
    for (const damage of [undefined, whole.slice(0, -150), '<html>', '']) {
      if (damage === undefined) await rm(web.path('bans.jsonl'));
      else await web.write('bans.jsonl', damage);
      const built = await data.blocklist(undefined, 'build', '--quiet');
      expect([built.status, await readFile(`${data.rules}/nodes4.txt`, 'utf8')]).toEqual([
        3,
        '45.9.1.7\n45.9.1.9\n45.9.20.7\n',
      ]);
    }
  });

  systemTest('who is allowed on the host that bans is not told', [], async () => {
    await web.done(webHost, 'ban', '45.9.1.0/30', '45.9.1.8', '45.9.1.9');
    await web.done(webHost, 'allow', '45.9.1.1');
    const config = await readFile(web.config, 'utf8');
    await web.write('blocklist.yaml', config.replace('admins: []', 'admins: [45.9.1.8]'));
    const { stdout } = await web.done(webHost, 'bans');
    const told = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(told.map(({ records, address }) => records ?? address)).toEqual([3, '45.9.1.0', '45.9.1.2/31', '45.9.1.9']);
  });

  systemTest('never what allow covers, and never what is never blocked', [], async () => {
    await data.write('lists/allow.txt', '45.9.1.7\n');
    const config = await readFile(data.config, 'utf8');
    await data.write('blocklist.yaml', `${config}allow: {files: [lists/allow.txt]}\n`);
    await web.done(webHost, 'ban', '45.9.1.0/29', '9.9.9.9');
    await handOver();
    await data.done(undefined, 'build');
    expect(await readFile(`${data.rules}/nodes4.txt`, 'utf8')).toBe('45.9.1.6\n45.9.20.7\n');
    expect(await readFile(`${data.rules}/nets4.txt`, 'utf8')).toBe('45.9.1.0/30\n45.9.1.4/31\n');
  });
});
