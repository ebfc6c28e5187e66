import { describe, expect, test } from 'vitest';
import { type PlausibleLimits, requirePlausibleArtefact } from '../../src/apply/plausible.js';
import { IpSet, specialPurpose } from '../../src/ip/index.js';
import { artefactOf, refusal } from './artefacts.js';

const LIMITS: PlausibleLimits = {
  coverage: { share: 0.25, key: 'max-coverage' },
  widest: { v4: 8, v6: 16 },
  wider: async () => ({ widest: { v4: 8, v6: 16 }, places: IpSet.empty }),
  neverBlock: specialPurpose().union(IpSet.from(['8.8.8.8', '2001:4860:4860::8888'])),
};

async function checked(
  inward: readonly string[],
  limits: Partial<PlausibleLimits> = {},
  outward?: readonly string[],
): Promise<void> {
  const { sets } = await artefactOf(inward, outward);
  await requirePlausibleArtefact(sets, { ...LIMITS, ...limits });
}

const wider = (countries: readonly string[], widest = LIMITS.widest) => ({
  wider: async () => ({ widest, places: IpSet.from(countries) }),
});

describe('never-block', () => {
  test.each([
    ['8.8.8.8', 'nodes4 8.8.8.8', '8.8.8.8'],
    ['8.8.8.0/24', 'nets4 8.8.8.0/24', '8.8.8.8'],
    ['192.168.1.1', 'nodes4 192.168.1.1', '192.168.1.1'],
    ['172.16.0.0/11', 'nets4 172.0.0.0/11', '172.16.0.0/12'],
    ['64:ff9b::a00:0/104', 'nets6 64:ff9b::a00:0/104', '64:ff9b::a00:0/104'],
    ['2001:4860::/32', 'nets6 2001:4860::/32', '2001:4860:4860::8888'],
  ])('%s is refused with set, net and address', async (line, where, hit) => {
    const error = await refusal(checked(['45.9.20.7', '91.200.0.0/22', line.replace('172.16', '172.0')]));
    expect([error.code, error.exitStatus, error.where]).toEqual(['never-block', 4, where]);
    expect(error.message).toContain(`would block ${hit}, which is never blocked`);
  });

  test('beside it passes', async () => {
    await checked(['8.8.8.7', '8.8.8.9', '11.0.0.0/8', '9.0.0.0/8', '2001:4860:4860::8887']);
  });

  test('in an outbound set, too', async () => {
    const error = await refusal(checked(['45.9.20.7'], {}, ['8.8.8.0/29', '8.8.8.8/29']));
    expect(error.where).toBe('out_nets4 8.8.8.0/28');
  });
});

describe('the widest prefix', () => {
  test.each([
    ['45.0.0.0/8', '2a00::/16'],
    ['45.0.0.0/9', '2a00::/17'],
  ])('%s and %s pass, and nothing else is asked for', async (v4, v6) => {
    const limits = { wider: () => Promise.reject(new Error('asked')) };
    await checked([v4, v6], limits);
  });

  test.each([
    ['32.0.0.0/3', 'nets4 32.0.0.0/3', '/8'],
    ['6.0.0.0/7', 'nets4 6.0.0.0/7', '/8'],
    ['2a00::/15', 'nets6 2a00::/15', '/16'],
    ['2400::/6', 'nets6 2400::/6', '/16'],
  ])('%s is refused', async (line, where, limit) => {
    const error = await refusal(checked(['45.9.20.7', line], { coverage: { share: 1, key: 'max-coverage' } }));
    expect([error.code, error.exitStatus, error.where]).toEqual(['rules-too-wide', 4, where]);
    expect(error.message).toContain(limit);
  });

  test('neighbours of a country may have merged, with the net of a feed beside them, too', async () => {
    await checked(['6.0.0.0/7'], wider(['6.0.0.0/8', '7.0.0.0/8']));
    await checked(['6.0.0.0/7'], wider(['6.0.0.0/8']));
    await checked(['2a00::/15'], wider(['2a00::/16']));
  });

  test('what countries do not explain counts as it is', async () => {
    expect((await refusal(checked(['4.0.0.0/6'], wider(['4.0.0.0/8', '5.0.0.0/8'])))).where).toBe('nets4 4.0.0.0/6');
    expect((await refusal(checked(['6.0.0.0/7'], wider(['9.0.0.0/8'])))).code).toBe('rules-too-wide');
  });

  test('a source with a wider limit of its own widens it', async () => {
    await checked(['4.0.0.0/6'], wider([], { v4: 6, v6: 16 }));
    expect((await refusal(checked(['32.0.0.0/5'], wider([], { v4: 6, v6: 1 })))).message).toContain('the /6 allowed');
  });
});

describe('coverage', () => {
  const few = { coverage: { share: 2 / 256, key: 'max-country-coverage' } } as const;

  test('both sides together, each address once', async () => {
    await checked(['45.0.0.0/8'], few, ['45.0.0.0/8', '77.0.0.0/8']);
    const error = await refusal(checked(['45.0.0.0/8'], few, ['77.0.0.0/8', '91.0.0.1']));
    expect([error.code, error.exitStatus]).toEqual(['coverage-limit', 4]);
    expect(error.hint).toContain('guards.max-country-coverage');
  });

  test('without countries on this host the hint names them', async () => {
    const error = await refusal(checked(['45.0.0.0/8'], { coverage: { share: 0, key: 'max-coverage' } }));
    expect(error.hint).toContain('sources.countries.block');
  });
});
