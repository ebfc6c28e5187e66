import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { ADMIN, ALL_OPEN, CUT, HOST, LOCKED, LockdownStage, NEEDS, OTHER_PORT, STRANGER } from './lockdown-stage.js';
import { type Background, until } from './processes.js';
import { describeSystem, systemTest } from './requirements.js';
import { runs } from './waiting.js';

describeSystem('lockdown, by a real sshd', NEEDS, () => {
  let stage: LockdownStage;
  const open: Background[] = [];
  beforeAll(async () => {
    stage = await LockdownStage.create();
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each.stop();
    await stage.host.nft('flush ruleset');
  });
  afterAll(() => stage.remove());

  async function session(from: string) {
    const made = await stage.session(from);
    open.push(made);
    expect(runs(made.sshd)).toBe(true);
    return made;
  }

  /** Asks conntrack to watch, as most firewalls do. */
  async function track(): Promise<void> {
    await stage.host.nft(
      'add table inet track\nadd chain inet track in { type filter hook input priority 0; ct state new accept; }',
    );
  }

  async function flowsFrom(address: string): Promise<number> {
    const family = address.includes(':') ? 'ipv6' : 'ipv4';
    const text = await stage.host.must(['conntrack', '-L', '-f', family, '-s', address, '-p', 'tcp']);
    return text.split('\n').filter((line) => line.includes(`src=${address} `) && line.includes('dport=2222')).length;
  }

  systemTest(
    'the stranger is out within five seconds, the administrator stays, and both families are closed to all else',
    [],
    async () => {
      expect(await stage.traffic()).toEqual(ALL_OPEN);
      await track();
      const admins = [await session(ADMIN[0]), await session(ADMIN[1])];
      const strangers = [await session(STRANGER[0]), await session(STRANGER[1])];
      const done = await stage.throughSsh(ADMIN[0], 'lockdown', '--allow', ...ADMIN, '--yes');
      const begun = Date.now();
      expect(done).toMatchObject({ status: 0, stdout: '' });
      await until('the servers have ended', () => !strangers.some(({ sshd }) => runs(sshd)), 5_000);
      expect(Date.now() - begun).toBeLessThan(5_000);
      expect(done.stderr).toMatch(
        /^LOCKDOWN until it is taken back: only 203\.0\.112\.2, 2a09:77::2 may reach SSH \(port 2222\); everything else that comes in or passes through is dropped$/m,
      );
      expect(done.stderr).toMatch(
        /^ended, an SSH SESSION: tcp 203\.0\.112\.3:\d+ with 203\.0\.112\.1:2222, sshd \(\d+\)/m,
      );
      expect(done.stderr).toMatch(
        /^ended, an SSH SESSION: tcp \[2a09:77::3\]:\d+ with \[2a09:77::1\]:2222, sshd \(\d+\)/m,
      );
      expect(done.stderr.match(/^ended/gm)).toHaveLength(2);
      for (const { from } of strangers) expect(await flowsFrom(from), from).toBe(0);
      // Neighbours have to be found anew, by both sides.
      for (const where of [stage.host, stage.client, stage.guest])
        await where.ip('neigh flush all', '-6 neigh flush all');
      expect(await stage.traffic()).toEqual(LOCKED);
      for (const from of ADMIN) expect((await stage.throughSsh(from, '--version')).status, from).toBe(0);
      expect(admins.map(({ sshd }) => runs(sshd))).toEqual([true, true]);

      const status = await stage.throughSsh(ADMIN[1], 'lockdown', 'off', '--yes');
      expect(status).toMatchObject({ status: 0, stderr: 'the lockdown is over: the host is open again\n' });
      expect(await stage.traffic()).toEqual(ALL_OPEN);
      const again = await stage.blocklist('lockdown', 'off');
      expect(again).toMatchObject({ status: 0, stderr: 'no lockdown stands\n' });
      expect(admins.map(({ sshd }) => runs(sshd))).toEqual([true, true]);
    },
    240_000,
  );

  systemTest(
    '--cut-outbound leaves nothing but that SSH, within the host everything',
    [],
    async () => {
      const admin = await session(ADMIN[0]);
      const done = await stage.throughSsh(ADMIN[0], 'lockdown', '--allow', ADMIN[0], '--cut-outbound', '--yes');
      expect(done.status).toBe(0);
      const onlyV4 = { ...CUT, 'administrator to SSH': [true, false] };
      expect(await stage.traffic()).toEqual(onlyV4);
      expect((await stage.throughSsh(ADMIN[0], '--version')).status).toBe(0);
      expect(runs(admin.sshd)).toBe(true);
      // Neighbours are found all the same, in the family that nobody may come in, too.
      for (const [where, address] of [
        [stage.client, HOST[1]],
        [stage.guest, 'fd09::1'],
      ] as const) {
        await where.must(['ip', '-6', 'neigh', 'flush', 'all']);
        await stage.pings(where, [address]);
        expect(await where.must(['ip', '-6', 'neigh', 'show', address]), address).toContain('lladdr');
      }
    },
    240_000,
  );

  systemTest(
    '--for 3s ends in the kernel, with every process of ours gone',
    [],
    async () => {
      const done = await stage.blocklist('lockdown', '--allow', ...ADMIN, '--for', '3s', '--yes', '--json');
      const begun = Date.now();
      const { until: end } = JSON.parse(done.stdout) as { until: number };
      expect(end - begun).toBeGreaterThan(1_000);
      expect(end - begun).toBeLessThan(4_500);
      const [shut] = await stage.reached(stage.client, [[STRANGER[0], HOST[0], 2222]]);
      if (Date.now() - begun < 2_000) expect(shut).toBe(false);
      const ours = readdirSync('/proc').filter((name) => {
        try {
          return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('\0lockdown\0');
        } catch {
          return false;
        }
      });
      expect(ours).toEqual([]);
      const probes = [STRANGER, ADMIN].flatMap((from) =>
        [0, 1].map((i) => [from[i] ?? '', HOST[i] ?? '', OTHER_PORT] as const),
      );
      await until('it is open', async () => !(await stage.reached(stage.client, probes)).includes(false), 15_000);
      expect(Date.now() - begun).toBeGreaterThan(2_000);
      expect(await stage.traffic()).toEqual(ALL_OPEN);
      expect((await stage.blocklist()).stdout).not.toContain('LOCKDOWN');
      expect((await stage.blocklist('lockdown', 'off')).stderr).toContain('was over by itself');
      expect(await stage.host.ruleset()).toBe('');
    },
    240_000,
  );

  systemTest(
    'who calls from an address that is not allowed is refused, with the command that works',
    [],
    async () => {
      for (const [from, allowed] of [
        [STRANGER[0], ADMIN[0]],
        [STRANGER[1], '203.0.112.0/24'],
      ] as const) {
        const refused = await stage.throughSsh(from, 'lockdown', '--allow', allowed, '--for', '9m', '--yes', '--json');
        expect(refused.status).toBe(4);
        const { error } = JSON.parse(refused.stderr);
        expect(error).toMatchObject({ code: 'lockout', message: expect.stringContaining(`comes from ${from}, which`) });
        expect(error.hint).toMatch(new RegExp(`cli\\.cjs lockdown --allow ${from} ${allowed} --for 9m$`));
        expect(await stage.host.ruleset()).toBe('');
        const [, advice = ''] = /cli\.cjs (.*)$/.exec(error.hint) ?? [];
        expect((await stage.throughSsh(from, ...advice.split(' '), '--yes')).status).toBe(0);
        expect((await stage.throughSsh(from, '--version')).status).toBe(0);
        await stage.host.nft('flush ruleset');
      }
    },
    240_000,
  );

  systemTest(
    'where nobody tracked connections, what a stranger began before is cut as well, though this host goes on sending',
    [],
    async () => {
      const serve = `require('node:net').createServer((socket) => {
        socket.on('error', () => {});
        setInterval(() => socket.write('x'), 2);
      }).listen(4445, '::', () => console.log('ready'))`;
      const server = stage.host.start([process.execPath, '-e', serve]);
      open.push(server);
      await until('it listens', () => server.output().includes('ready'));
      const takers = [0, 1].map((i) => {
        const take = `require('node:net').connect({ host: '${HOST[i]}', port: 4445, localAddress: '${STRANGER[i]}' })
          .on('data', (data) => process.stdout.write(data)).on('error', () => {})`;
        return stage.client.start([process.execPath, '-e', take]);
      });
      open.push(...takers);
      await until('both take', () => takers.every((taker) => taker.output().length > 100));
      const done = await stage.blocklist('lockdown', '--allow', ADMIN[0], '--yes');
      expect(done.stderr).toMatch(/^cut off by the rules: tcp \S*203\.0\.112\.3\S*:\d+ with \S+:4445, \S+ \(\d+\)$/m);
      const taken = () => takers.map((taker) => taker.output().length);
      const before = taken();
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(taken()).toEqual(before);
    },
    240_000,
  );
});
