import { chmod } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { factIn, type SocketFact } from './host-facts.js';
import { liveSet } from './live-sets.js';
import { connect, Namespace } from './namespace.js';
import { type Background, until } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';
import { SshServer } from './ssh-server.js';
import { armed, runs } from './waiting.js';

const NEEDS = ['root', 'netns', 'mountns', 'nft', 'ip', 'ss', 'conntrack', 'sshd', 'ssh'];
describeSystem('sessions of listed hosts end, others stay', NEEDS, () => {
  let host: Namespace;
  let client: Namespace;
  let server: SshServer;
  let project: Project;
  const open: Background[] = [];
  beforeAll(async () => {
    [host, client] = [await Namespace.create(), await Namespace.create()];
    await connect(host, client);
    await host.ip('addr add 203.0.112.1/24 dev wire', 'addr add 2a09:77::1/64 dev wire nodad');
    for (const n of [2, 3]) {
      await client.ip(`addr add 203.0.112.${n}/24 dev wire`, `addr add 2a09:77::${n}/64 dev wire nodad`);
    }
    server = await SshServer.start(host, 2222);
  });
  afterAll(async () => {
    await host.remove();
    await client.remove();
    await server.remove();
  });
  beforeEach(async () => {
    project = await Project.create([
      { id: 'first', lines: ['45.9.20.7', '203.0.112.2'] },
      { id: 'second', lines: ['45.9.20.8', '2a09:77::2', '203.0.112.2'] },
    ]);
    await project.done(undefined, 'build');
    // Somebody has to ask for connections to be tracked.
    await host.nft(
      'add table inet track\nadd chain inet track in { type filter hook input priority 0; ct state new accept; }',
    );
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each.stop();
    await host.nft('flush ruleset');
    await project.remove();
  });

  /** A session of root from this address, and the number of the sshd that serves it. */
  async function session(from: string) {
    const to = from.includes(':') ? '2a09:77::1' : '203.0.112.1';
    const made = await server.session(client, 'root', to, ['-b', from]);
    open.push(made);
    const sshd = Number((await host.must(['ps', '-o', 'ppid=', '-p', String(made.pid)])).trim());
    expect(runs(sshd)).toBe(true);
    return { ...made, sshd, from };
  }

  async function flows(from: string): Promise<number> {
    const family = from.includes(':') ? 'ipv6' : 'ipv4';
    const text = await host.must(['conntrack', '-L', '-f', family, '-s', from]);
    return text.split('\n').filter((line) => line.includes(`src=${from} `)).length;
  }

  systemTest('the sshd of a listed address is gone within five seconds, its flow as well', [], async () => {
    const listed = [await session('203.0.112.2'), await session('2a09:77::2')];
    const others = [await session('203.0.112.3'), await session('2a09:77::3')];
    for (const { from } of [...listed, ...others]) expect(await flows(from), from).toBeGreaterThan(0);
    const { stderr } = await project.done(host, 'apply');
    const loaded = Date.now();
    await until('the servers have ended', () => !listed.some(({ sshd }) => runs(sshd)), 5_000);
    expect(Date.now() - loaded).toBeLessThan(5_000);
    expect(stderr).toMatch(
      /^ended, an SSH SESSION: tcp 203\.0\.112\.2:\d+ with 203\.0\.112\.1:2222, sshd \(\d+\).*, listed by first, second$/m,
    );
    expect(stderr).toMatch(
      /^ended, an SSH SESSION: tcp \[2a09:77::2\]:\d+ with \[2a09:77::1\]:2222, sshd \(\d+\).*, listed by second$/m,
    );
    expect(stderr.match(/^ended/gm)).toHaveLength(2);
    for (const { from } of listed) expect(await flows(from), from).toBe(0);
    for (const each of others) expect([runs(each.sshd), (await flows(each.from)) > 0]).toEqual([true, true]);
  });

  systemTest('a dry run names them and cuts nothing; as data, too', [], async () => {
    const [one, two] = [await session('203.0.112.2'), await session('203.0.112.3')];
    const { stderr } = await project.done(host, 'apply', '--dry-run');
    expect(stderr).toMatch(
      /^would end: tcp 203\.0\.112\.2:\d+ with 203\.0\.112\.1:2222, sshd \(\d+\).*, listed by first, second$/m,
    );
    const { connections } = JSON.parse((await project.done(host, 'apply', '--dry-run', '--json')).stdout);
    expect(connections).toEqual([
      {
        protocol: 'tcp',
        peer: expect.stringMatching(/^203\.0\.112\.2:\d+$/),
        local: '203.0.112.1:2222',
        port: 2222,
        processes: expect.arrayContaining([{ name: 'sshd', pid: one.sshd }]),
        sources: ['first', 'second'],
      },
    ]);
    expect([runs(one.sshd), runs(two.sshd)]).toEqual([true, true]);
    const done = JSON.parse((await project.done(host, 'apply', '--json')).stdout);
    expect(done.connections).toMatchObject([{ port: 2222, sources: ['first', 'second'] }]);
    expect(done.flows).toBeGreaterThan(0);
    await until('it has ended', () => !runs(one.sshd), 5_000);
    expect(runs(two.sshd)).toBe(true);
  });

  for (const from of ['203.0.112.3', '2a09:77::3']) {
    systemTest(`a ban of ${from} ends its session and its flow, and no other`, [], async () => {
      await project.done(host, 'apply');
      const [one, two] = [
        await session(from),
        await session(from.replace(/3$/, '4').replace('::4', '::3').replace('.112.4', '.112.3')),
      ];
      await project.done(host, 'allow', from);
      await project.done(host, 'ban', from);
      expect(runs(one.sshd)).toBe(true);
      await project.done(host, 'allow', '--remove', from);
      const { stderr } = await project.done(host, 'ban', from, '--for', '1m');
      expect(stderr).toContain('ended 2 connections');
      await until('they have ended', () => !runs(one.sshd) && !runs(two.sshd), 5_000);
      expect(await flows(from)).toBe(0);
      const [left] = [await factIn<SocketFact[]>(host, 'sockets()')];
      expect(left).toEqual([]);
    });
  }

  systemTest('rollback and --repair end them, too: whoever is listed by what is loaded', [], async () => {
    await project.done(host, 'apply');
    await host.nft('delete table inet blocklist');
    const one = await session('203.0.112.2');
    await project.done(host, 'apply', '--repair');
    await until('it has ended', () => !runs(one.sshd), 5_000);
  });

  systemTest(
    'what cannot be ended is told: exit status 3, the rules are loaded and the way back stays armed',
    [],
    async () => {
      await project.write('conntrack', '#!/bin/sh\necho "Operation not permitted" >&2\nexit 1\n');
      await chmod(project.path('conntrack'), 0o755);
      const mounted = 'mount --bind "$0" /usr/sbin/conntrack && exec "$@"';
      const without = (...command: readonly string[]) =>
        host.run(['unshare', '-m', 'sh', '-c', mounted, project.path('conntrack'), ...project.argv(...command)]);
      const words = expect.stringMatching(/^connections were not all ended: .*; nothing of them passes$/m);
      expect(await without('apply', '--quiet', '--confirm', '60s')).toMatchObject({ status: 3, stderr: words });
      expect(await armed(project)).toHaveLength(2);
      expect((await project.done(host, 'status')).stderr).toContain('UNCONFIRMED');
      await project.done(host, 'confirm');
      expect(await without('ban', '203.0.112.9')).toMatchObject({ status: 3, stderr: words });
      expect(await liveSet(host, 'ban4')).toEqual(['203.0.112.9']);
    },
  );
});
