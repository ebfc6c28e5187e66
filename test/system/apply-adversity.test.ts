import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { manyNodes, Rules } from './apply-kinds.js';
import { liveSet, liveSetNames } from './live-sets.js';
import { Namespace } from './namespace.js';
import { describeSystem, systemTest } from './requirements.js';
import { StandIn, smallBuffer } from './stand-in.js';

const LISTS = {
  old: ['45.9.20.7', '45.9.30.6/31', '2a02::7', ...manyNodes(100)],
  near: ['45.9.20.6/31', '45.9.30.7', '2a02::7', ...manyNodes(98)],
  far: ['45.9.20.6/31', '45.9.30.7', '2a02::7', ...manyNodes(100, 1)],
};

describeSystem('apply against odds', ['root', 'netns', 'mountns', 'nft', 'ip'], () => {
  let namespace: Namespace;
  let rules: Rules<keyof typeof LISTS>;
  let standIn: StandIn;
  beforeAll(async () => {
    rules = await Rules.create(LISTS);
    standIn = await StandIn.create();
  });
  beforeEach(async () => {
    namespace = await Namespace.create();
    await rules.apply(namespace, 'old', '--fast');
  });
  afterEach(() => namespace.remove());
  afterAll(async () => {
    await rules.remove();
    await standIn.remove();
  });

  /** What stands in the kernel but for numbers of rules and counters. */
  const kernel = async () =>
    (await namespace.must(['nft', '-s', 'list', 'ruleset'])).replaceAll(/packets \d+ bytes \d+/g, '');

  for (const [which, n] of [
    ['first', 1],
    ['second', 2],
  ] as const) {
    systemTest(`nft refuses the ${which} transaction of a change in odd words: everything is loaded`, [], async () => {
      await rules.review('near');
      const refuse = `[ $n != ${n} ] || { echo 'Error: Kuckuck \\033[31m' >&2; exit 1; }`;
      const ran = await standIn.run(namespace, refuse, rules.project.argv('apply', '--json'));
      expect([ran.status, ran.stderr]).toEqual([0, '']);
      expect(JSON.parse(ran.stdout)).toMatchObject({ plan: 'delta', done: 'full' });
      expect(await rules.verdict(namespace)).toBe('0 in-sync');
    });
  }

  systemTest(
    'nft refuses everything from the second transaction on: exit status 5, rolled back or told',
    [],
    async () => {
      await rules.review('near');
      const refuse = `[ $n -lt 2 ] || { echo 'Error: Kuckuck' >&2; exit 1; }`;
      const ran = await standIn.run(namespace, refuse, rules.project.argv('apply', '--json'));
      expect([ran.status, ran.stdout]).toEqual([5, '']);
      const { error } = JSON.parse(ran.stderr);
      expect(error.code).toBe('nft-refused');
      expect(error.message).toContain('the way back failed');
      expect(error.message).not.toContain('nothing was changed');
      await rules.apply(namespace, 'near');
      expect(await rules.verdict(namespace)).toBe('0 in-sync');
    },
  );

  systemTest('nft refuses until the way back: exit status 5, the rules are as before', [], async () => {
    const before = await kernel();
    await rules.review('near');
    const refuse = `[ $n -lt 2 ] || [ $n -gt 3 ] || { echo 'Error: Kuckuck' >&2; exit 1; }`;
    const ran = await standIn.run(namespace, refuse, rules.project.argv('apply', '--json'));
    expect([ran.status, ran.stdout]).toEqual([5, '']);
    expect(JSON.parse(ran.stderr).error).toMatchObject({
      code: 'nft-refused',
      message: expect.stringContaining('rolled back'),
    });
    expect(await kernel()).toBe(before);
  });

  /** What another program does after each of our transactions. */
  const MEDDLERS = [
    ['deletes an element', 'delete element inet blocklist nodes4 { 45.9.30.7 }'],
    ['adds a rule', 'add rule inet blocklist early accept'],
  ] as const;
  for (const [what, statement] of MEDDLERS) {
    systemTest(`another program ${what} each time: exit status 5, verify-differs, rolled back`, [], async () => {
      const before = await kernel();
      await rules.review('far');
      // Not after the way back, which is the last.
      const meddle = `$load "$@" || exit $?; [ "$(cat $0.back)" = $n ] || $nft '${statement}'; exit 0`;
      for (const known of [true, false]) {
        if (!known) {
          await rules.apply(namespace, 'old');
          await rules.forgetKept();
          await rules.review('far');
        }
        // One load, the one that mends it, and the way back; of two transactions each where it is not known what moves.
        const back = 5;
        const ran = await standIn.run(
          namespace,
          meddle.replace('$(cat $0.back)', String(back)),
          rules.project.argv('apply', '--json'),
        );
        expect([ran.status, ran.stdout], what).toEqual([5, '']);
        expect(JSON.parse(ran.stderr).error).toMatchObject({
          code: 'verify-differs',
          message: expect.stringContaining('rolled back: the rules are as before'),
          hint: expect.stringContaining('nft delete table inet blocklist'),
        });
        expect(await standIn.transactions(), what).toBe(back);
        expect(await kernel(), what).toBe(before);
      }
    });
  }

  systemTest('another program flushes the ruleset each time: exit status 5, the rules are as before', [], async () => {
    const before = await kernel();
    await rules.review('far');
    // After the change, and after the last of the four steps of a load into nothing.
    const meddle = `$load "$@"; s=$?; [ $n != 2 ] && [ $n != 6 ] || $nft flush ruleset; exit $s`;
    const ran = await standIn.run(namespace, meddle, rules.project.argv('apply', '--json'));
    expect(ran.status).toBe(5);
    const message = expect.stringMatching(/the table is gone; rolled back: the rules are as before$/);
    expect(JSON.parse(ran.stderr).error).toMatchObject({ code: 'verify-differs', message });
    expect(await kernel()).toBe(before);
  });

  systemTest('the same where large transactions are refused: the way back is staged, too', [], async () => {
    await rules.review('far');
    const meddle = `${smallBuffer(2_700)}
      $load "$@" || exit $?
      for set in nodes4 nodes4_b; do $nft "delete element inet blocklist $set { 45.9.30.7 }" 2>/dev/null; done
      exit 0`;
    const ran = await standIn.run(namespace, meddle, rules.project.argv('apply', '--json'));
    expect([ran.status, ran.stdout]).toEqual([5, '']);
    const message = expect.stringContaining('nodes4: 1 addresses missing, 0 too many; rolled back');
    expect(JSON.parse(ran.stderr).error).toMatchObject({ code: 'verify-differs', message });
    await rules.review('old');
    expect(await rules.verdict(namespace)).toBe('0 in-sync');
  });

  systemTest('a first load that cannot be verified leaves no table', [], async () => {
    await namespace.nft('delete table inet blocklist');
    await rules.review('far');
    const meddle = `$load "$@" || exit $?; $nft 'delete element inet blocklist nodes4 { 45.9.30.7 }' 2>/dev/null; exit 0`;
    const ran = await standIn.run(namespace, meddle, rules.project.argv('apply', '--json'));
    expect([ran.status, JSON.parse(ran.stderr).error.code]).toEqual([5, 'verify-differs']);
    expect(await namespace.ruleset()).toBe('');
  });

  systemTest('two applies at once: one after the other, or one is told that it is locked', [], async () => {
    await rules.review('far');
    const both = await Promise.all([1, 2].map(() => rules.project.blocklist(namespace, 'apply', '--json')));
    for (const { status, stderr } of both) {
      if (status !== 0) expect(JSON.parse(stderr).error.code).toBe('locked');
    }
    expect(both.map(({ status }) => status)).toContain(0);
    expect(await rules.verdict(namespace)).toBe('0 in-sync');
  });

  for (const [what, mount] of [
    ['is read-only', 'mount --bind STATE STATE; mount -o remount,ro,bind STATE'],
    ['is full', 'mount -t tmpfs -o size=8k none STATE; head -c 64k /dev/zero > STATE/ballast 2>/dev/null || true'],
  ] as const) {
    systemTest(`the state folder ${what}: exit status 5 with the reason, the kernel as before`, [], async () => {
      const before = await kernel();
      await rules.review('far');
      const script = `${mount.replaceAll('STATE', rules.project.path('state'))}; "$@"; exit $?`;
      const argv = ['unshare', '-m', 'sh', '-c', script, 'sh', ...rules.project.argv('apply', '--json')];
      const ran = await namespace.run(argv);
      expect([ran.status, ran.stdout], ran.stderr).toEqual([5, '']);
      expect(JSON.parse(ran.stderr).error.code).toMatch(/^(file-unwritable|folder-unwritable|unwritable)$/);
      expect(await kernel()).toBe(before);
    });
  }

  systemTest('sets with second names: every command finds them', [], async () => {
    await rules.review('far');
    // Without a digest everything is loaded, however little changed.
    await namespace.nft('delete set inet blocklist state\nadd set inet blocklist state { type mark; }');
    const small = await standIn.run(namespace, smallBuffer(2_700), rules.project.argv('apply', '--json'));
    expect([small.status, small.stderr]).toEqual([0, '']);
    expect(JSON.parse(small.stdout).done).toBe('staged');
    const second = ['nets4_b', 'nets6_b', 'nodes4_b', 'nodes6_b'];
    const listed = async () => (await liveSetNames(namespace)).filter((name) => /^n/.test(name)).sort();
    expect(await listed()).toEqual(second);
    expect(await rules.verdict(namespace)).toBe('0 in-sync');

    await rules.project.done(namespace, 'ban', '203.0.113.9');
    expect(await liveSet(namespace, 'ban4')).toEqual(['203.0.113.9']);
    await namespace.nft('delete element inet blocklist nodes4_b { 45.9.30.7 }');
    const { status, stdout } = await rules.project.blocklist(namespace, 'status', '--json');
    expect([status, JSON.parse(stdout).differences]).toEqual([1, [{ name: 'nodes4', missing: '1', extra: '0' }]]);
    expect((await rules.apply(namespace, 'far')).mended).toContain('nodes4: 1 addresses missing');
    expect(await listed()).toEqual(second);

    await rules.project.done(namespace, 'rollback');
    expect(await listed()).toEqual(second);
    expect(await rules.apply(namespace, 'old')).toMatchObject({ plan: 'nothing', done: 'nothing' });
    expect(await rules.apply(namespace, 'near')).toMatchObject({ done: 'delta' });
    expect(await listed()).toEqual(second);
    expect(await rules.verdict(namespace)).toBe('0 in-sync');
    await rules.project.done(namespace, 'unban', '203.0.113.9');
    expect(await liveSet(namespace, 'ban4')).toEqual([]);
    await rules.project.done(namespace, 'unload', '--yes');
    expect(await namespace.ruleset()).toBe('');
  });
});
