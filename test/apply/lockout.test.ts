import { describe, expect, test } from 'vitest';
import { requireAdminsPass } from '../../src/apply/lockout.js';
import { parsePrefix } from '../../src/ip/index.js';
import { artefactOf, refusal } from './artefacts.js';

const BLOCKED = ['45.9.20.7', '91.200.0.0/22', '2a0d:f302::1', '2a02:4780::/32'];

async function checked(admins: readonly string[], outward?: readonly string[]): Promise<void> {
  requireAdminsPass(await artefactOf(BLOCKED, outward), admins.map(parsePrefix));
}

describe('requireAdminsPass', () => {
  test.each([
    ['no administrator', []],
    ['an address beside a node', ['45.9.20.6', '45.9.20.8']],
    ['the addresses beside a block', ['91.199.255.255', '91.200.4.0']],
    ['a block that ends where one begins', ['91.199.0.0/16']],
    ['IPv6 beside both', ['2a0d:f302::2', '2a02:4781::', '2a02:477f:ffff::/48']],
  ])('%s passes', async (_what, admins) => {
    await expect(checked(admins)).resolves.toBeUndefined();
  });

  test.each([
    ['a node', '45.9.20.7', '45.9.20.7', 'nodes4'],
    ['the first of a block', '91.200.0.0', '91.200.0.0', 'nets4'],
    ['the last of a block', '91.200.3.255', '91.200.3.255', 'nets4'],
    ['a block inside a block', '91.200.2.0/24', '91.200.2.0/24', 'nets4'],
    ['a block around a block', '91.200.0.0/16', '91.200.0.0/22', 'nets4'],
    ['a block around a node', '45.9.0.0/16', '45.9.20.7', 'nodes4'],
    ['an IPv6 node', '2a0d:f302::1', '2a0d:f302::1', 'nodes6'],
    ['inside an IPv6 block', '2a02:4780:ffff::1', '2a02:4780:ffff::1', 'nets6'],
  ])('%s is refused, with what is hit and in which set', async (_what, admin, hit, set) => {
    const error = await refusal(checked(['9.0.0.1', admin]));
    expect([error.code, error.exitStatus]).toEqual(['lockout', 4]);
    expect(error.message).toContain(`would drop ${hit}, an address of local.admins (set ${set}); nothing was changed`);
    expect(error.hint).toContain(`put ${admin} into`);
  });

  test('an administrator in IPv4-mapped form is the IPv4 address', async () => {
    expect((await refusal(checked(['::ffff:45.9.20.7']))).message).toContain('would drop 45.9.20.7');
    await expect(checked(['::ffff:45.9.20.8'])).resolves.toBeUndefined();
  });

  test('an outbound set does not drop what an administrator sends', async () => {
    await expect(checked(['77.91.64.1'], ['77.91.64.0/22'])).resolves.toBeUndefined();
    expect((await refusal(checked(['45.9.20.7'], ['77.91.64.0/22']))).code).toBe('lockout');
  });
});
