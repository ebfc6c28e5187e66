import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { liveSet } from './live-sets.js';
import { connect, Namespace } from './namespace.js';
import { until } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const at = (n: number, more: readonly string[] = []) => [
  { id: 'mine', lines: [`45.9.20.${n}`, '45.9.21.1', '45.9.21.3', `91.200.${4 * n}.0/22`, '2a02:4780::/32', ...more] },
];

describeSystem('bans and allowances of this host', ['root', 'netns', 'nft', 'ip', 'ping'], () => {
  let host: Namespace;
  let other: Namespace;
  let project: Project;
  let template: Project;
  beforeAll(async () => {
    template = await Project.create(at(1));
    await template.done(undefined, 'build');
    [host, other] = [await Namespace.create(), await Namespace.create()];
    await connect(host, other);
    await host.ip('addr add 203.0.112.1/24 dev wire', 'addr add 2a09:77::1/64 dev wire nodad');
    await host.ip('route add default via 203.0.112.254 dev wire');
    await other.ip('addr add 203.0.112.2/24 dev wire', 'addr add 203.0.112.3/24 dev wire');
    await other.ip('addr add 2a09:77::2/64 dev wire nodad', 'addr add 2a02:4780::7/128 dev wire nodad');
    await host.ip('route add 2a02:4780::/32 dev wire');
    // What a banned host asks of its neighbours is dropped, too: how long it goes on asking then is not what is tested.
    const mac = (await host.must(['cat', '/sys/class/net/wire/address'])).trim();
    await other.ip(`neigh replace 2a09:77::1 lladdr ${mac} dev wire nud permanent`);
  });
  afterAll(async () => {
    await template.remove();
    await host.remove();
    await other.remove();
  });
  beforeEach(async () => {
    project = await Project.copyOf(template);
    await project.done(host, 'apply');
  });
  afterEach(async () => {
    await host.run(['nft', 'delete', 'table', 'inet', 'blocklist']);
    await project.remove();
  });

  const blocklist = (...command: readonly string[]) => project.blocklist(host, ...command);
  const done = (...command: readonly string[]) => project.done(host, ...command);
  const addresses = async (set: string) => (await liveSet(host, set)).map((text) => text.split(' ')[0]);

  /** Whether a packet from this address reaches the host. */
  async function passes(from: string): Promise<boolean> {
    const to = from.includes(':') ? '2a09:77::1' : '203.0.112.1';
    return (await other.run(['ping', '-c', '1', '-W', '1', '-i', '0.2', '-I', from, to])).status === 0;
  }

  async function entries(): Promise<Array<Record<string, unknown>>> {
    return JSON.parse(await readFile(project.path('state', 'local.json'), 'utf8')).entries;
  }

  systemTest('at once and one element at a time; the other elements live on', [], async () => {
    await done('ban', '203.0.112.3', '--for', '1h');
    await pause(1_100);
    const monitor = host.start(['nft', 'monitor', 'elements']);
    // It says nothing when it begins to listen: somebody else's elements show it.
    await until('the monitor listens', async () => {
      await host.nft(
        'table inet probe { set s { type mark; }; }\nflush set inet probe s\nadd element inet probe s { 1 }',
      );
      return monitor.output().includes('inet probe');
    });
    await host.nft('delete table inet probe');
    await done('ban', '203.0.112.2', '2a09:77::2', '--reason', 'port "scan"; drop');
    expect(await Promise.all(['203.0.112.2', '2a09:77::2', '203.0.112.3'].map(passes))).toEqual([false, false, false]);
    await done('unban', '203.0.112.2', '2a09:77::2');
    expect(await Promise.all(['203.0.112.2', '2a09:77::2'].map(passes))).toEqual([true, true]);
    const seen = () => monitor.output().match(/^(add|delete) element inet blocklist .*$/gm) ?? [];
    await until('the monitor has seen it', () => seen().length >= 4);
    const changed = seen();
    expect(changed.map((line) => line.replace(/ (timeout|expires).*$/, '').trim()).sort()).toEqual([
      'add element inet blocklist ban4 { 203.0.112.2 }',
      'add element inet blocklist ban6 { 2a09:77::2 }',
      'delete element inet blocklist ban4 { 203.0.112.2 }',
      'delete element inet blocklist ban6 { 2a09:77::2 }',
    ]);
    expect(await liveSet(host, 'ban4')).toEqual([expect.stringMatching(/^203\.0\.112\.3 timeout 1h expires 59m/)]);
    await done('status');
  });

  systemTest('who, until when and why are written down', [], async () => {
    const argv = project.argv('ban', '203.0.112.2', '--until', '2099-01-02', '--reason', 'ssh guesses', '--json');
    const told = JSON.parse(await host.must(['env', 'SUDO_USER=erika', ...argv]));
    const entry = {
      what: 'ban',
      prefix: '203.0.112.2',
      author: 'erika',
      reason: 'ssh guesses',
      until: Date.UTC(2099, 0, 2),
    };
    expect(told).toMatchObject({ schema: 'blocklist/decided', isLoaded: true, entries: [entry] });
    expect(await entries()).toMatchObject([entry]);
    expect((await liveSet(host, 'ban4'))[0]).toMatch(/timeout \d+d/);
    const words = await done('ban', '203.0.112.2', '--for', '7d');
    expect(words.stderr).toMatch(/^banned until \d{4}-\d\d-\d\d \d\d:\d\d UTC: 203\.0\.112\.2; in force now/);
    expect(await entries()).toHaveLength(1);
    expect((await liveSet(host, 'ban4'))[0]).toMatch(/timeout (7d|6d23h59m)/);
  });

  systemTest('a ban for two seconds ends in the kernel, and then in the notes', [], async () => {
    await done('ban', '203.0.112.2', '--for', '3s');
    expect(await passes('203.0.112.2')).toBe(false);
    await until('it ends', () => passes('203.0.112.2'), 6_000);
    await done('status');
    await done('ban', '203.0.112.3');
    expect((await entries()).map(({ prefix }) => prefix)).toEqual(['203.0.112.3']);
    expect(await addresses('ban4')).toEqual(['203.0.112.3']);
  });

  systemTest('a longer ban takes the place of a shorter one, and for good that of any', [], async () => {
    await done('ban', '203.0.112.2', '--for', '2s');
    await done('ban', '203.0.112.2', '--for', '9s');
    await pause(3_000);
    expect(await passes('203.0.112.2')).toBe(false);
    await done('ban', '203.0.112.2');
    expect(await liveSet(host, 'ban4')).toEqual(['203.0.112.2']);
  });

  systemTest('overlapping bans: each address until the latest of its ends', [], async () => {
    await done('ban', '198.51.0.7', '--for', '1h');
    await done('ban', '198.51.0.0/24');
    expect(await liveSet(host, 'ban4')).toEqual(['198.51.0.0/24']);
    await done('unban', '198.51.0.0/24');
    expect(await liveSet(host, 'ban4')).toEqual([expect.stringMatching(/^198\.51\.0\.7 timeout/)]);
    await done('ban', '198.51.0.0/24', '--for', '10m');
    expect((await liveSet(host, 'ban4')).filter((text) => /timeout 1h|59m\d+s/.test(text))).toHaveLength(1);
    await done('ban', '198.51.0.0/16', '198.51.0.0/24');
    expect(await liveSet(host, 'ban4')).toEqual(['198.51.0.0/16']);
    await done('status');
  });

  systemTest(
    'every way of loading keeps them: nothing, changes, everything, rollback, a table made anew',
    [],
    async () => {
      await done('ban', '203.0.112.2', '2a09:77::2', '--for', '1h');
      await done('allow', '45.9.20.2', '2a02:4780::7');
      const local = async () => [
        await addresses('ban4'),
        await addresses('ban6'),
        await addresses('allow4'),
        await addresses('allow6'),
      ];
      const before = await local();
      expect(before[3]).toContain('2a02:4780::7');
      const kept = async (...command: readonly string[]) => {
        const { stderr } = await done(...command);
        expect(await local(), command.join(' ')).toEqual(before);
        await done('status');
        return stderr;
      };
      expect(await kept('apply')).toContain('nothing to do');
      await project.configure(at(1, ['45.9.21.5']));
      await project.done(undefined, 'build');
      expect(await kept('apply')).toContain('loaded the changes');
      await project.configure(at(2));
      await project.done(undefined, 'build');
      // Without a digest everything is loaded, however little changed.
      await host.nft('delete set inet blocklist state\nadd set inet blocklist state { type mark; }');
      expect(await kept('apply')).toMatch(/^loaded \//m);
      await done('rollback');
      expect(await local()).toEqual(before);
      await done('apply');
      await host.nft('flush set inet blocklist ban4\nflush set inet blocklist allow6');
      expect((await blocklist('status')).status).toBe(1);
      await kept('apply', '--repair');
      await host.nft('delete table inet blocklist');
      await kept('apply', '--repair');
      expect(await passes('203.0.112.2')).toBe(false);
      expect(await passes('2a02:4780::7')).toBe(true);
    },
  );

  systemTest('an allowance wins over lists and bans, and is taken back', [], async () => {
    expect(await passes('2a02:4780::7')).toBe(false);
    await done('allow', '2a02:4780::7', '--for', '1h');
    expect(await passes('2a02:4780::7')).toBe(true);
    const banned = await done('ban', '2a02:4780::7');
    expect(banned.stderr).toMatch(/allowed here.*wins/);
    expect(await passes('2a02:4780::7')).toBe(true);
    await done('allow', '--remove', '2a02:4780::7');
    expect(await passes('2a02:4780::7')).toBe(false);
    await done('unban', '2a02:4780::7');
    expect(await passes('2a02:4780::7')).toBe(false);
    const none = await done('allow', '--remove', '2a02:4780::7');
    expect(none.stderr).toContain('was not allowed by hand');
    const unknown = await done('unban', '203.0.112.99');
    expect(unknown.stderr).toContain('was not banned by hand');
  });

  const REFUSED: ReadonlyArray<readonly [text: readonly string[], status: number, code: string]> = [
    [['203.0.112.2/24'], 2, 'bad-usage'],
    [['2a09:77::2/64'], 2, 'bad-usage'],
    [['garbage'], 2, 'bad-usage'],
    [['203.0.112.256'], 2, 'bad-usage'],
    [['010.0.0.1'], 2, 'bad-usage'],
    [['3232235777'], 2, 'bad-usage'],
    [['203.0.112.2/33'], 2, 'bad-usage'],
    [['0.0.0.0/0'], 4, 'too-wide'],
    [['::/0'], 4, 'too-wide'],
    [['203.0.0.0/7'], 2, 'bad-usage'],
    [['202.0.0.0/7'], 4, 'too-wide'],
    [['203.0.112.1'], 4, 'lockout'],
    [['203.0.112.2', '203.0.112.0/24'], 4, 'lockout'],
    [['2a09:77::1'], 4, 'lockout'],
    [['203.0.112.254'], 4, 'lockout'],
    [['203.0.112.2', '--for', 'soon'], 2, 'bad-usage'],
    [['203.0.112.2', '--for', '0s'], 2, 'bad-usage'],
    [['203.0.112.2', '--for', '99999999999d'], 2, 'bad-usage'],
    [['203.0.112.2', '--until', '2001-01-01'], 2, 'bad-usage'],
    [['203.0.112.2', '--until', 'x'], 2, 'bad-usage'],
    [['203.0.112.2', '--for', '1h', '--until', '2099-01-01'], 2, 'bad-usage'],
    [['203.0.112.2', '--reason', 'two\nlines'], 2, 'bad-usage'],
    [['203.0.112.2', '--reason', 'x'.repeat(201)], 2, 'bad-usage'],
    // Two to a character, as the file counts that it would be written to.
    [['203.0.112.2', '--reason', '\u{1f980}'.repeat(101)], 2, 'bad-usage'],
    [[], 2, 'bad-usage'],
  ];
  systemTest(
    'what cannot be meant is refused, and nothing changes',
    [],
    async () => {
      const before = await host.ruleset();
      for (const [words, status, code] of REFUSED) {
        const ran = await blocklist('ban', ...words, '--json');
        expect({
          words,
          status: ran.status,
          code: ran.status === 0 ? 'none' : JSON.parse(ran.stderr).error.code,
        }).toEqual({ words, status, code });
      }
      for (const [words, status] of [
        [['garbage'], 2],
        [['0.0.0.0/0'], 4],
        [['::/0'], 4],
      ] as const)
        expect({ words, status: (await blocklist('allow', ...words)).status }).toEqual({ words, status });
      expect(await host.ruleset()).toBe(before);
      await expect(entries()).rejects.toThrow('ENOENT');
    },
    240_000,
  );

  systemTest('nothing loaded yet: written down, and in force with the next apply', [], async () => {
    await done('unload', '--yes');
    const { stderr } = await done('ban', '203.0.112.2');
    expect(stderr).toContain('not loaded: in force with the next apply');
    expect(await host.ruleset()).toBe('');
    await done('apply');
    expect(await passes('203.0.112.2')).toBe(false);
  });

  systemTest('what nft does not tell leaves no decision behind', [], async () => {
    await writeFile(project.path('nft'), '#!/bin/sh\necho no >&2; exit 1\n', { mode: 0o755 });
    const mounted = 'mount --bind "$0" /usr/sbin/nft && exec "$@"';
    const argv = ['unshare', '-m', 'sh', '-c', mounted, project.path('nft'), ...project.argv('ban', '203.0.112.2')];
    expect(await host.run(argv)).toMatchObject({ status: 5 });
    await expect(entries()).rejects.toThrow('ENOENT');
  });

  systemTest('very long bans work', [], async () => {
    await done('ban', '203.0.112.2', '--for', '36500d', '--reason', '\u{1f980}'.repeat(100));
    expect((await liveSet(host, 'ban4'))[0]).toMatch(/timeout 36(500d|499d23h)/);
    // A hundred years, as fail2ban writes them.
    await done('ban', '203.0.112.5', '--for', '3155760000s');
    for (const time of ['99d', '100d', '101d', '4000d']) await done('ban', '203.0.112.4', '--for', time);
    await done('ban', '203.0.112.3', '--until', '9999-12-31');
    expect(await Promise.all(['203.0.112.2', '203.0.112.3'].map(passes))).toEqual([false, false]);
    await done('status');
  });
});
