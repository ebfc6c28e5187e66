import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { Namespace } from './namespace.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const LINES = ['45.9.20.7', '45.9.20.9', '91.200.1.0/24', '2a02:4780::/32', '2a0d:f302::1'];

/** What somebody did to our table by hand → what status must say of it. */
const CHANGES: ReadonlyArray<readonly [what: string, nft: string, said: RegExp]> = [
  ['an element is deleted', 'delete element inet blocklist nodes4 { 45.9.20.7 }', /nodes4: 1 addresses missing, 0 too/],
  ['an element is added', 'add element inet blocklist nodes6 { 2a0d:f302::2 }', /nodes6: 0 addresses missing, 1 too/],
  [
    'a block is deleted',
    'delete element inet blocklist nets4 { 91.200.1.0/24 }',
    /nets4: 256 addresses missing, 0 too/,
  ],
  ['a set is flushed', 'flush set inet blocklist nets6', /nets6: 79228162514264337593543950336 addresses missing/],
  ['the rules of a chain are flushed', 'flush chain inet blocklist early', /chain early: .* found .*0 rules/],
  [
    'one rule is gone',
    'flush chain inet blocklist listed',
    /chain listed: expected no hook, 6 rules, found no hook, 0/,
  ],
  ['a rule is added', 'add rule inet blocklist early accept', /chain early: expected .* 5 rules, found .* 6 rules/],
  ['a chain is added', 'add chain inet blocklist mine', /chain mine: expected absent/],
  [
    'a set is added',
    'add set inet blocklist mine { type ipv4_addr; elements = { 9.0.0.1 }; }',
    /set mine: expected absent, found ipv4_addr/,
  ],
  [
    'an allowed address is deleted',
    'delete element inet blocklist allow4 { 9.9.9.9 }',
    /allow4: 1 addresses missing, 0 too/,
  ],
  ['an address is banned', 'add element inet blocklist ban6 { 2a02::1 }', /ban6: 0 addresses missing, 1 too/],
  [
    'a chain is hooked elsewhere',
    'flush chain inet blocklist early\ndelete chain inet blocklist early\nadd chain inet blocklist early { type filter hook input priority 0; }',
    /chain early: expected prerouting -310 accept, 5 rules, found input 0 accept, 0 rules/,
  ],
  ['the state set is gone', 'delete set inet blocklist state', /the digest is not one of ours/],
];

describeSystem('status after a change by hand', ['root', 'netns', 'nft', 'ip'], () => {
  let namespace: Namespace;
  let project: Project;
  beforeAll(async () => {
    namespace = await Namespace.create();
    project = await Project.create([{ id: 'mine', lines: LINES }], { admins: ['9.9.9.9'], auto: [] });
    await project.done(namespace, 'build');
  });
  beforeEach(async () => {
    await namespace.nft('table inet blocklist\ndelete table inet blocklist');
    await namespace.must(['nft', '-f', project.path('rules', 'blocklist.nft')]);
    await namespace.nft('add element inet blocklist allow4 { 9.9.9.9 }');
  });
  afterAll(async () => {
    await namespace.remove();
    await project.remove();
  });

  for (const [what, nft, said] of CHANGES) {
    systemTest(`${what}: exit status 1, named, and not mended by looking`, [], async () => {
      await namespace.nft(nft);
      const changed = await namespace.ruleset();
      const status = await project.blocklist(namespace, 'status');
      expect(status.status).toBe(1);
      expect(status.stderr).toMatch(said);
      expect(status.stderr).toContain('DIFFERS from what was loaded');
      expect(await namespace.ruleset()).toBe(changed);
    });

    systemTest(`${what}: apply mends it`, [], async () => {
      const wanted = await objects();
      await namespace.nft(nft);
      const { status, stderr } = await project.blocklist(namespace, 'apply');
      // The sets of this host are brought to what it decided with every apply, before anything is compared.
      const said = /allow4|ban6/.test(nft) ? /read back: the kernel holds exactly this/ : /^(mended|loaded) /m;
      expect([status, stderr]).toEqual([0, expect.stringMatching(said)]);
      expect(await objects()).toEqual(wanted);
      expect((await project.blocklist(namespace, 'status')).status).toBe(0);
    });
  }

  systemTest('apply mends elements and rules at once', [], async () => {
    await namespace.nft('delete element inet blocklist nodes4 { 45.9.20.7 }\nflush chain inet blocklist early');
    expect((await project.blocklist(namespace, 'apply')).stderr).toMatch(/^loaded /);
    expect((await project.blocklist(namespace, 'status')).status).toBe(0);
  });

  systemTest('apply --fast goes by the digest: an element that is gone stays so', [], async () => {
    await namespace.nft('delete element inet blocklist nodes4 { 45.9.20.7 }');
    const changed = await namespace.ruleset();
    const { status, stderr } = await project.blocklist(namespace, 'apply', '--fast');
    expect([status, stderr]).toEqual([0, expect.stringMatching(/^nothing to do: .*; not read back\n/)]);
    expect(await namespace.ruleset()).toBe(changed);
    const seen = async (...more: readonly string[]) => {
      const { stdout } = await project.blocklist(namespace, 'status', '--json', ...more);
      return JSON.parse(stdout);
    };
    expect(await seen('--fast')).toMatchObject({ verdict: 'in-sync', compared: 'structure' });
    expect(await seen()).toMatchObject({ verdict: 'differs', compared: 'every element' });
  });

  systemTest('the table is gone: exit status 1, and apply brings it back', [], async () => {
    const verdict = async () => JSON.parse((await project.blocklist(namespace, 'status', '--json')).stdout).verdict;
    await project.done(namespace, 'apply');
    await namespace.nft('delete table inet blocklist');
    const status = await project.blocklist(namespace, 'status');
    expect(status.status).toBe(1);
    expect(status.stderr).toContain('DIFFERS from what was loaded: the table is gone');
    expect(await verdict()).toBe('differs');
    await project.done(namespace, 'apply');
    expect((await project.blocklist(namespace, 'status')).status).toBe(0);
    // Where a person took it, it is not missing.
    await project.done(namespace, 'unload', '--yes');
    const unloaded = await project.blocklist(namespace, 'status');
    expect([unloaded.status, unloaded.stderr]).toEqual([1, expect.stringContaining('not loaded')]);
    expect(await verdict()).toBe('not-loaded');
    await project.done(namespace, 'apply');
    expect(await verdict()).toBe('in-sync');
  });

  systemTest('differences are data under --json', [], async () => {
    await namespace.nft(
      'delete element inet blocklist nodes4 { 45.9.20.7 }\nadd element inet blocklist nodes4 { 9.0.0.1 }',
    );
    const { status, stdout } = await project.blocklist(namespace, 'status', '--json');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: 'differs',
      differences: [{ name: 'nodes4', missing: '1', extra: '1' }],
      chains: [],
    });
  });

  /** Changes that switch the rules off, or that somebody makes in passing. */
  const unseen: ReadonlyArray<readonly [what: string, nft: string]> = [
    ['the table is dormant, no rule of it is asked', 'add table inet blocklist { flags dormant; }'],
    [
      'all rules are replaced by as many others',
      `flush chain inet blocklist listed\n${'add rule inet blocklist listed accept\n'.repeat(4)}`,
    ],
    ['an element has a comment', 'add element inet blocklist nodes4 { 9.0.0.1 comment "by hand" }'],
  ];
  for (const [what, nft] of unseen) {
    systemTest(`${what}: status finds that it differs`, [], async () => {
      await namespace.nft(nft);
      const { status, stderr } = await project.blocklist(namespace, 'status');
      expect([status, stderr.includes('DIFFERS')]).toEqual([1, true]);
    });
    systemTest(`${what}: apply mends it`, [], async () => {
      const wanted = await objects();
      await namespace.nft(nft);
      await project.done(namespace, 'apply');
      expect(await objects()).toEqual(wanted);
    });
  }

  /** Our table without numbers of rules, object by object: what is made anew stands at the end. */
  async function objects(): Promise<string[]> {
    const text = await namespace.must(['nft', 'list', 'table', 'inet', 'blocklist']);
    return text.split(/\n\n|\{\n(?=\tcounter)|\n\}\n/).sort();
  }

  systemTest('a set of another type is added: status finds that it differs', [], async () => {
    await namespace.nft('add set inet blocklist mine { type inet_service; elements = { 22 }; }');
    const { status, stderr } = await project.blocklist(namespace, 'status');
    expect([status, stderr.includes('DIFFERS')]).toEqual([1, true]);
  });

  for (const added of ['chain inet blocklist mine', 'set inet blocklist mine { type ipv4_addr; }']) {
    systemTest(`after add ${added} and a lost element, apply mends both`, [], async () => {
      const wanted = await objects();
      await namespace.nft(`add ${added}\ndelete element inet blocklist nodes4 { 45.9.20.7 }`);
      await project.done(namespace, 'apply');
      expect(await objects()).toEqual(wanted);
      expect((await project.blocklist(namespace, 'status')).status).toBe(0);
    });
  }

  systemTest('a table of ours without sets is removed by unload, too', [], async () => {
    await namespace.nft('delete table inet blocklist\nadd table inet blocklist\nadd chain inet blocklist early');
    await project.done(namespace, 'unload', '--yes');
    expect(await namespace.ruleset()).toBe('');
  });
});
