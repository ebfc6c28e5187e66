import { chmod } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { ADMIN, HOST, LockdownStage, NEEDS, SSH_PORT, STRANGER } from './lockdown-stage.js';
import { type Background, until } from './processes.js';
import { Project } from './project.js';
import { CLI, describeSystem, systemTest } from './requirements.js';
import { runs } from './waiting.js';

const DIST = new URL('../../dist/', import.meta.url).href;
const LISTED = [{ id: 'mine', lines: ['45.9.20.7', '203.0.112.8', '91.200.0.0/22', '2a02:4780::/32'] }];

describeSystem('lockdown beside everything else', NEEDS, () => {
  let stage: LockdownStage;
  let project: Project;
  const open: Background[] = [];
  beforeAll(async () => {
    stage = await LockdownStage.create();
  });
  beforeEach(async () => {
    project = await Project.create(LISTED);
    await project.done(undefined, 'build');
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each.stop();
    await stage.host.nft('flush ruleset');
    await project.remove();
  });
  afterAll(() => stage.remove());

  /** The table as nft prints it, with the numbers of its rules; without what only time changes. */
  async function table(): Promise<string> {
    const text = await stage.host.must(['nft', '-a', 'list', 'table', 'inet', 'blocklist_lockdown']);
    return text.replace(/ expires \S+?(?=[ ,])/g, '');
  }

  systemTest(
    'no apply, ban, rollback or unload touches it, and all who look are told first',
    [],
    async () => {
      const apply = (...options: readonly string[]) => project.done(stage.host, 'apply', ...options);
      await apply();
      const done = await stage.blocklist('lockdown', '--allow', ...ADMIN, '--for', '20m', '--yes');
      expect(done.status).toBe(0);
      const before = await table();
      const shout =
        /^LOCKDOWN until \d{4}-\d\d-\d\d \d\d:\d\d UTC: only 203\.0\.112\.2, 2a09:77::2 may reach SSH \(port 2222\); .*; to end it: \S+ \S+ lockdown off$/;
      const steps: ReadonlyArray<() => Promise<unknown>> = [
        () => apply(),
        () => apply('--repair'),
        async () => {
          await project.configure([{ id: 'mine', lines: ['45.9.20.8', '91.200.4.0/22'] }]);
          await project.done(undefined, 'build');
          await apply('--confirm', '60s');
        },
        () => project.done(stage.host, 'rollback'),
        () => project.done(stage.host, 'ban', '45.9.20.9'),
        () => stage.host.must(['nft', '-f', project.path('rules', 'blocklist.nft')]),
        async () => {
          const { stderr } = await project.done(stage.host, 'unload', '--yes');
          expect(stderr).toMatch(/^a lockdown stands beside it and stays; to end it: \S+ \S+ lockdown off$/m);
        },
      ];
      for (const [i, step] of steps.entries()) {
        await step();
        expect(await table(), `step ${i}`).toBe(before);
      }
      const status = await project.blocklist(stage.host, 'status', '--quiet');
      expect([status.status, status.stderr.split('\n')[0]]).toEqual([1, expect.stringMatching(shout)]);
      const data = JSON.parse((await project.blocklist(stage.host, 'status', '--json')).stdout);
      const lockdown = {
        allow: [...ADMIN],
        ports: [SSH_PORT],
        until: expect.any(Number),
        cutOutbound: false,
        intact: true,
      };
      expect(data.lockdown).toEqual(lockdown);
      expect(Math.abs(data.lockdown.until - Date.now() - 20 * 60_000)).toBeLessThan(120_000);
      expect((await stage.blocklist()).stdout.split('\n')[0]).toMatch(shout);
      expect((await stage.blocklist('status')).stderr.split('\n')[0]).toMatch(shout);

      expect((await stage.blocklist('lockdown', 'off')).status).toBe(4);
      expect(await table()).toBe(before);
      await apply();
      const ours = await stage.host.must(['nft', 'list', 'table', 'inet', 'blocklist']);
      expect((await stage.blocklist('lockdown', 'off', '--yes', '--json')).stdout).toContain('"removed":true');
      expect(await stage.host.ruleset()).not.toContain('lockdown');
      expect(await stage.host.must(['nft', 'list', 'table', 'inet', 'blocklist'])).toBe(ours);
      const after = JSON.parse((await project.blocklist(stage.host, 'status', '--json')).stdout);
      expect(after.lockdown).toBeNull();
    },
    240_000,
  );

  systemTest(
    'a second one replaces the first: open to nobody for a moment, and to who is in both all the while',
    [],
    async () => {
      const render = `
        import { IpSet } from '${DIST}ip/index.js';
        import { lockdownScript } from '${DIST}respond/lockdown.js';
        const script = (seconds, ...texts) =>
          lockdownScript({ allow: [...IpSet.from(texts).prefixes()], ports: [${SSH_PORT}], seconds, cutOutbound: false });
        console.log(JSON.stringify([script(600, '203.0.112.2', '198.51.100.0/24'), script(undefined, '203.0.112.2', '2a09:77::2')]));`;
      const printed = await stage.host.must([process.execPath, '--input-type=module', '-'], { stdin: render });
      const scripts = JSON.parse(printed) as string[];
      await stage.host.nft(`table inet watch {
        counter stranger { }
        chain in { type filter hook input priority 0; icmp type echo-request counter name stranger; icmpv6 type echo-request counter name stranger; }
      }`);
      const came = async () =>
        Number(/packets (\d+)/.exec(await stage.host.must(['nft', 'list', 'counters', 'table', 'inet', 'watch']))?.[1]);
      for (const i of [0, 1]) {
        const flood = ['ping', '-q', '-n', '-i', '0.002', '-I', STRANGER[i] ?? '', HOST[i] ?? ''];
        open.push(stage.client.start(flood));
      }
      const typing = stage.server.argv('root', HOST[0], 'cat >/dev/null', ['-b', ADMIN[0]]);
      const endless = 'exec "$@" < <(while sleep 0.004; do echo x; done)';
      open.push(stage.client.start(['bash', '-c', endless, 'typing', ...typing]));
      const talk = () => stage.client.must(['ss', '-Htin', 'src', ADMIN[0], 'dport', '=', `:${SSH_PORT}`]);
      const sent = async () => Number(/ segs_out:(\d+)/.exec(await talk())?.[1] ?? 0);
      await until('all of them send', async () => (await came()) > 200 && (await sent()) > 100);
      expect((await stage.blocklist('lockdown', '--allow', ADMIN[0], '--yes')).status).toBe(0);
      const [before, begun] = [await came(), await sent()];
      for (let i = 0; i < 40; i++) await stage.host.must(['nft', '-f', '-'], { stdin: scripts[i % 2] ?? '' });
      expect(await came()).toBe(before);
      expect(await sent()).toBeGreaterThan(begun + 50);
      // Sent twice on a busy machine, and told so by who had it already, is not lost (RFC 2883).
      const now = await talk();
      const count = (pattern: RegExp) => Number(pattern.exec(now)?.[1] ?? 0);
      expect(count(/ retrans:\d+\/(\d+)/)).toBe(count(/ dsack_dups:(\d+)/));
      expect(now).not.toMatch(/ lost:/);
      await stage.host.nft('delete table inet blocklist_lockdown');
      await until('they come again', async () => (await came()) > before);
      const { stdout } = await stage.blocklist('lockdown', '--allow', ADMIN[0], '--yes', '--json');
      expect(JSON.parse(stdout).replaces).toBeNull();
      const second = await stage.blocklist('lockdown', '--allow', ...ADMIN, '--for', '9m', '--yes');
      expect(second.stderr).toMatch(/^LOCKDOWN until .*, in place of the one that stood$/m);
    },
    240_000,
  );

  systemTest(
    'a dry run, and a question that nobody answers: sessions, obstacles and how to get past them are named, nothing changes',
    [],
    async () => {
      await project.done(stage.host, 'apply');
      await project.done(stage.host, 'ban', '2a09:77::2');
      await stage.host.nft(
        'add table ip theirs\nadd chain ip theirs gate { type filter hook input priority 5; policy drop; }',
      );
      await stage.host.nft('add rule ip theirs gate tcp dport 2222 accept');
      const stranger = await stage.session(STRANGER[0]);
      open.push(stranger);
      const before = await stage.host.ruleset();
      const allow = ['--allow', '203.0.112.8', ...ADMIN];
      const dry = await project.done(stage.host, 'lockdown', ...allow, '--dry-run');
      expect(dry.stderr).toMatch(/^would end, an SSH SESSION: tcp 203\.0\.112\.3:\d+ with .*, sshd \(\d+\)/m);
      expect(dry.stderr).toMatch(
        /^but: chain ip theirs gate drops what its rules do not accept; .*: nft list chain ip theirs gate$/m,
      );
      expect(dry.stderr).toMatch(
        /^but: 203\.0\.112\.8 is in set nodes4 of table inet blocklist, which drops it all the same; to let it through: .* allow 203\.0\.112\.8 --config/m,
      );
      expect(dry.stderr).toMatch(/^but: 2a09:77::2 is in set ban6 /m);
      expect(dry.stderr).not.toContain('203.0.112.2 is');
      expect(dry.stderr).toMatch(/nothing was changed\n$/);
      const data = JSON.parse((await project.done(stage.host, 'lockdown', ...allow, '--dry-run', '--json')).stdout);
      expect(data).toMatchObject({ dryRun: true, allow: ['203.0.112.2', '203.0.112.8', '2a09:77::2'], until: null });
      expect(data.warnings).toHaveLength(3);
      const net = await project.done(stage.host, 'lockdown', '--allow', '203.0.112.0/28', '--dry-run');
      expect(net.stderr).toMatch(/^but: 203\.0\.112\.0\/28 is in set nodes4 /m);
      expect((await project.blocklist(stage.host, 'lockdown', ...allow)).status).toBe(4);
      expect(await stage.host.ruleset()).toBe(before);
      expect(runs(stranger.sshd)).toBe(true);
      const [, advice = ''] = /to let it through: (\S+ \S+ allow 203\.0\.112\.8 .*)$/m.exec(dry.stderr) ?? [];
      await stage.host.must(['sh', '-c', advice.replace(/^\S+ \S+/, `${process.execPath} ${CLI}`)]);
      const freed = await project.done(stage.host, 'lockdown', '--allow', '203.0.112.8', '--dry-run');
      expect(freed.stderr).not.toContain('is in set');
    },
    240_000,
  );

  systemTest('an address behind a tunnel of this host is warned of', [], async () => {
    // Not every kernel has tunnels to be made; how they look is the same everywhere.
    const stand = `#!/bin/sh
case "$*" in
  *'route get 203.0.112.2') echo '[{"dst":"203.0.112.2","dev":"wg0","flags":[]}]' ;;
  *'link show dev wg0') echo '[{"ifname":"wg0","link_type":"none","linkinfo":{"info_kind":"wireguard"}}]' ;;
  *) exec ${project.path('real-ip')} "$@" ;;
esac
`;
    await project.write('ip', stand);
    await chmod(project.path('ip'), 0o755);
    await stage.host.must(['cp', '-L', '/usr/sbin/ip', project.path('real-ip')]);
    const line = [process.execPath, CLI, 'lockdown', '--allow', ...ADMIN, '--dry-run'];
    const mounted = 'mount --bind "$0" "$(readlink -f /usr/sbin/ip)" && exec "$@"';
    const ran = await stage.host.run(['unshare', '-m', 'sh', '-c', mounted, project.path('ip'), ...line]);
    expect(ran.status).toBe(0);
    expect(ran.stderr.match(/^but: .*/gm)).toEqual([
      'but: 203.0.112.2 comes through wg0 (wireguard): what carries that tunnel is dropped unless this host began it; allow an address outside of it',
    ]);
  });

  systemTest('the port that the client asked for is open, where it is another than the server has', [], async () => {
    await stage.host.nft(`table inet theirs {
      chain first { type nat hook prerouting priority -100; tcp dport 2200 redirect to :${SSH_PORT}; }
    }`);
    const through = (command: string) =>
      stage.client.run(
        stage.server.argv('root', HOST[0], command, ['-b', ADMIN[0], '-p', '2200', '-o', 'ConnectTimeout=3']),
      );
    const done = await through(`${process.execPath} ${CLI} lockdown --allow ${ADMIN[0]} --yes`);
    expect(done).toMatchObject({ status: 0, stderr: expect.stringContaining('(ports 2200, 2222)') });
    expect((await through('echo in')).stdout).toBe('in\n');
  });

  systemTest('no SSH server is seen: refused, unless a port is named', [], async () => {
    const [refused, named] = [
      await stage.guest.run([process.execPath, CLI, 'lockdown', '--allow', ADMIN[0], '--yes', '--json']),
      await stage.guest.run([
        process.execPath,
        CLI,
        'lockdown',
        '--allow',
        ADMIN[0],
        '--port',
        '22',
        '--yes',
        '--json',
      ]),
    ];
    expect([refused.status, JSON.parse(refused.stderr).error.code]).toEqual([4, 'ssh-missing']);
    expect([named.status, JSON.parse(named.stdout).ports]).toEqual([0, [22]]);
    await stage.guest.nft('flush ruleset');
  });
});
