import { rename } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { liveSet } from './live-sets.js';
import { connect, Namespace } from './namespace.js';
import { until } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';
import { SshServer } from './ssh-server.js';
import { runs } from './waiting.js';

const list = (...lines: readonly string[]) => [
  { id: 'wide', lines: ['45.9.20.7', ...lines] },
  { id: 'other', lines: ['91.200.0.0/22', '2a02:4780::/32'] },
];

const NEEDS = ['root', 'netns', 'mountns', 'nft', 'ip', 'ss', 'sshd', 'ssh'];
describeSystem('nobody whom this host needs is locked out', NEEDS, () => {
  let host: Namespace;
  let client: Namespace;
  let server: SshServer;
  let project: Project;
  beforeAll(async () => {
    [host, client] = [await Namespace.create(), await Namespace.create()];
    await connect(host, client);
    await host.ip('addr add 203.0.112.1/24 dev wire', 'addr add 2a09:77::1/64 dev wire nodad');
    await host.ip('route add default via 203.0.112.254 dev wire', 'route add default via 2a09:77::ff dev wire');
    await client.ip('addr add 203.0.112.2/24 dev wire', 'addr add 2a09:77::2/64 dev wire nodad');
    server = await SshServer.start(host, 2222);
  });
  afterAll(async () => {
    await host.remove();
    await client.remove();
    await server.remove();
  });
  beforeEach(async () => {
    project = await Project.create([]);
    await host.nft('add table inet filter\nadd chain inet filter input { type filter hook input priority 0; }');
  });
  afterEach(async () => {
    await host.nft('flush ruleset');
    await project.remove();
  });

  /** The command that the hint begins with, without the name of the program. */
  function advised(hint: string): string[] {
    const [, line = ''] = /cli\.cjs (allow .*?) lets it through/.exec(hint) ?? [];
    return line.split(' ').filter((word) => word !== '');
  }

  const resolv = (server: string) => [
    'unshare',
    '-m',
    'sh',
    '-c',
    `echo 'nameserver ${server}' >"$0" && mount --bind "$0" /etc/resolv.conf && exec "$@"`,
  ];
  const EVERY = [['apply'], ['apply', '--dry-run'], ['apply', '--confirm', '9s'], ['apply', '--repair']];
  const CASES: ReadonlyArray<
    readonly [who: string, listed: string, hit: string, words: string, admins: string[], resolver: string]
  > = [
    ['an address of its own', '203.0.112.1', '203.0.112.1', 'an address of this host', [], ''],
    ['an address of its own, in a net', '203.0.0.0/16', '203.0.112.1', 'of this host', [], ''],
    ['an IPv6 address of its own', '2a09:77::/48', '2a09:77::1', 'an address of this host', [], ''],
    ['its gateway', '203.0.112.254', '203.0.112.254', 'the gateway of this host', [], ''],
    ['its IPv6 gateway', '2a09:77::f0/124', '2a09:77::ff', 'the gateway of this host', [], ''],
    ['its name server', '45.9.20.53', '45.9.20.53', 'a name server of this host', [], '45.9.20.53'],
    ['an administrator', '45.9.0.0/17', '45.9.20.8', 'an address of local.admins', ['45.9.20.8'], ''],
    ['a net of administrators', '45.9.30.0/24', '45.9.30.0/24', 'an address of local.admins', ['45.9.0.0/16'], ''],
  ];
  for (const [who, listed, hit, words, admins, resolver] of CASES) {
    systemTest(`${who}: exit status 4, nothing changed, the source is named and the advice helps`, [], async () => {
      const sources = list(listed);
      const shown =
        admins.length > 0 ? [{ id: 'wide', lines: [listed] }, sources[1] ?? { id: 'x', lines: [] }] : sources;
      await project.configure(shown, { admins });
      await project.done(undefined, 'build');
      const prefix = resolver === '' ? [] : [...resolv(resolver), project.path('resolv')];
      const before = await host.ruleset();
      const blocklist = (...command: string[]) => host.run([...prefix, ...project.argv(...command)]);
      for (const command of listed === '203.0.112.1' ? EVERY : EVERY.slice(0, 1)) {
        const refused = await blocklist(...command, '--json');
        expect(refused.status, command.join(' ')).toBe(4);
        expect(await host.ruleset()).toBe(before);
        const { error } = JSON.parse(refused.stderr);
        expect(error).toMatchObject({ code: 'lockout', message: expect.stringContaining('listed by wide') });
        expect(error.message).not.toContain('other');
        for (const part of [hit.split('/')[0], words]) expect(error.message).toContain(part);
      }
      const { error } = JSON.parse((await blocklist('apply', '--json')).stderr);
      expect((await host.run([...prefix, ...project.argv().slice(0, 2), ...advised(error.hint)])).status).toBe(0);
      expect((await blocklist('apply')).stderr).toMatch(
        /^(loaded |blocklist: the rules would drop (?!203\.0\.112\.1,))/,
      );
    });
  }

  const line = (...command: string[]) => project.argv(...command).join(' ');
  for (const [address, from, how] of [
    ['203.0.112.1', '203.0.112.2', ''],
    ['203.0.112.1', '203.0.112.2', 'env -i '],
    ['203.0.112.1', '203.0.112.2', 'setsid -w env -i '],
    ['2a09:77::1', '2a09:77::2', 'env -i '],
  ] as const) {
    systemTest(`who calls through ssh from ${from}${how && `, by ${how.trim()}`}`, [], async () => {
      await project.configure(list(from));
      await project.done(undefined, 'build');
      const before = await host.ruleset();
      const ssh = (command: string) => client.run(server.argv('root', address, command));
      for (const command of ['apply', 'apply --dry-run', 'apply --confirm 60s'].slice(0, how === '' ? 3 : 1)) {
        const refused = await ssh(`${how}${line(...command.split(' '))}`);
        expect(refused.status).toBe(4);
        expect(refused.stderr).toContain(`would drop ${from}, the other end of your SSH session`);
        expect(refused.stderr).toContain('listed by wide');
        expect(await host.ruleset()).toBe(before);
        if (command !== 'apply') continue;
        const banned = await ssh(`${how}${line('ban', from)}`);
        expect([banned.status, banned.stderr]).toEqual([4, expect.stringContaining('that would ban')]);
      }
      const { stderr } = await ssh(`${how}${line('apply', '--json')}`);
      const allow = advised(JSON.parse(stderr).error.hint);
      expect((await ssh(`${project.argv().slice(0, 2).join(' ')} ${allow.join(' ')}`)).status).toBe(0);
      expect((await ssh(`${how}${line('apply')}`)).status).toBe(0);
      expect((await ssh('echo still here')).stdout).toBe('still here\n');
    });
  }

  systemTest('the advice can be pasted, whatever the configuration is called', [], async () => {
    await project.configure(list('203.0.112.254'));
    const config = project.path(`it's "my" $config;.yaml`);
    await rename(project.config, config);
    const [node = '', cli = ''] = project.argv();
    const blocklist = (...words: string[]) => host.run([node, cli, ...words, '--config', config]);
    expect((await blocklist('build')).status).toBe(0);
    const { hint } = JSON.parse((await blocklist('apply', '--json')).stderr).error as { hint: string };
    const [advice = ''] = /^node .*(?= lets it through)/.exec(hint) ?? [];
    expect(await host.run(['sh', '-c', advice])).toMatchObject({ status: 0 });
    expect((await blocklist('apply')).status).toBe(0);
  });

  systemTest('an intruder does not protect himself by being logged in', [], async () => {
    await project.configure(list('203.0.112.2'));
    await project.done(undefined, 'build');
    const session = await server.session(client, 'root', '203.0.112.1');
    const sshd = Number((await host.must(['ps', '-o', 'ppid=', '-p', String(session.pid)])).trim());
    expect(runs(sshd)).toBe(true);
    await project.done(host, 'apply');
    await until('his session has ended', () => !runs(sshd), 5_000);
    await session.stop();
    expect(await liveSet(host, 'allow4')).not.toContain('203.0.112.2');
  });
});
