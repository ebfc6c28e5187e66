import { beforeEach, expect } from 'vitest';
import { freshProjects } from './fresh.js';
import type { Namespace } from './namespace.js';
import type { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

/** What other programs have in the kernel. */
const FOREIGN = `
table inet filter {
  set admins { type ipv4_addr; flags interval; elements = { 9.9.0.0/16, 45.9.20.7 }; }
  counter seen { packets 5 bytes 500; }
  chain input {
    type filter hook input priority filter; policy accept;
    ip saddr @admins tcp dport 22 counter packets 7 bytes 700 accept comment "administrators"
    ct state invalid drop
  }
}
table ip nat {
  chain postrouting { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }
}
table ip blocklist {
  set nodes4 { type ipv4_addr; elements = { 45.9.20.7 }; }
}
table inet blocklist-old {
  set nodes4 { type ipv4_addr; elements = { 45.9.20.7 }; }
}
`;
const TABLES = [
  ['inet', 'filter'],
  ['ip', 'nat'],
  ['ip', 'blocklist'],
  ['inet', 'blocklist-old'],
] as const;

describeSystem('what belongs to others', ['root', 'netns', 'nft', 'ip'], () => {
  let namespace: Namespace;
  let project: Project;
  const fresh = freshProjects([{ id: 'mine', lines: ['45.9.20.7', '91.200.1.0/24'] }]);
  beforeEach(async () => {
    ({ namespace, project } = await fresh());
  });

  /** Their tables with all numbers of rules: what is deleted and made again gets others. */
  async function foreign(): Promise<string> {
    const texts = TABLES.map(([family, name]) => namespace.must(['nft', '-a', 'list', 'table', family, name]));
    return (await Promise.all(texts)).join('');
  }

  async function tables(): Promise<string[]> {
    return (await namespace.must(['nft', 'list', 'tables'])).trim().split('\n').sort();
  }

  systemTest('is byte for byte the same after apply, apply of other lists, unload', [], async () => {
    await namespace.nft(FOREIGN);
    const before = await foreign();
    const names = await tables();
    await project.done(namespace, 'apply');
    expect(await foreign()).toBe(before);
    await project.configure([{ id: 'mine', lines: ['45.9.20.8'] }]);
    await project.done(undefined, 'build');
    await project.done(namespace, 'apply');
    expect(await foreign()).toBe(before);
    expect(await tables()).toEqual([...names, 'table inet blocklist'].sort());

    const unloaded = await project.blocklist(namespace, 'unload', '--yes');
    expect(unloaded.status).toBe(0);
    expect(await tables()).toEqual(names);
    expect(await foreign()).toBe(before);
  });

  systemTest('does not hinder: a table of our name in another family is not ours', [], async () => {
    await namespace.nft(FOREIGN);
    expect((await project.blocklist(namespace, 'status')).stderr).toContain('not loaded');
    const unloaded = await project.blocklist(namespace, 'unload', '--yes');
    expect(unloaded.status).toBe(0);
    expect(unloaded.stderr).toContain('nothing to do');
  });

  systemTest('the counter of dropped packets survives another apply', [], async () => {
    await project.done(namespace, 'apply');
    const count = async () =>
      Number(
        /packets (\d+)/.exec(await namespace.must(['nft', 'list', 'counter', 'inet', 'blocklist', 'dropped']))?.[1],
      );
    await namespace.ip('addr add 45.9.20.7/32 dev lo');
    await namespace.run(['ping', '-n', '-c', '3', '-i', '0.2', '-W', '1', '-I', '45.9.20.7', '45.9.20.7']);
    expect(await count()).toBe(3);
    await project.configure([{ id: 'mine', lines: ['45.9.20.8'] }]);
    await project.done(undefined, 'build');
    expect((await project.done(namespace, 'apply')).stderr).toMatch(/^loaded /);
    expect(await count()).toBe(3);
    const { dropped } = JSON.parse((await project.done(namespace, 'status', '--json')).stdout);
    expect(dropped).toEqual({ packets: 3, bytes: 252 });
  });

  systemTest('unload without --yes asks; where nobody can answer it refuses', [], async () => {
    await project.done(namespace, 'apply');
    const before = await namespace.ruleset();
    for (const stdin of ['', 'y\n']) {
      const refused = await namespace.run(project.argv('unload'), { stdin });
      expect(refused.status).toBe(4);
      expect(refused.stderr).toContain('not confirmed');
    }
    expect(await namespace.ruleset()).toBe(before);
  });

  systemTest('unload --dry-run names what would go, and changes nothing', [], async () => {
    await project.done(namespace, 'apply');
    const before = await namespace.ruleset();
    const dry = await project.blocklist(namespace, 'unload', '--dry-run');
    expect(dry.status).toBe(0);
    expect(dry.stderr).toContain('would delete table inet blocklist:');
    expect(await namespace.ruleset()).toBe(before);
  });

  systemTest('on a terminal, y unloads and anything else does not', ['script'], async () => {
    await project.done(namespace, 'apply');
    const command = project.argv('unload').join(' ');
    const answered = (stdin: string) => namespace.run(['script', '-qec', command, '/dev/null'], { stdin });
    const no = await answered('n\n');
    expect(no.stdout).toContain('Go on? [y/N]');
    expect(no.status).toBe(4);
    expect(await tables()).toEqual(['table inet blocklist']);
    const yes = await answered('y\n');
    expect(yes.status).toBe(0);
    expect(await tables()).toEqual(['']);
  });
});
