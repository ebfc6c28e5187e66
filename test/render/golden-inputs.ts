import type { Policy } from '../../src/build/policy.js';

/** Small fixed inputs of the golden files, as text: test/system reads them again without the product. */
export interface GoldenInput {
  readonly in: readonly string[];
  readonly out?: readonly string[];
  readonly only?: readonly string[];
  /** with only */
  readonly ports?: readonly number[];
  /** where it is not as by default */
  readonly policy?: Partial<Policy>;
}

const V4 = [
  '45.9.20.7',
  // merge to one block of each: /23, /31, /29
  '45.10.0.0/24',
  '45.10.1.0/24',
  '5.6.7.8',
  '5.6.7.9',
  '80.0.0.16-80.0.0.23',
  // touch, but are not one block
  '91.200.1.0/24',
  '91.200.2.0/24',
  // numeric order is not the order of text: 9 before 45 before 198
  '9.0.0.1',
  '198.11.0.0/16',
  '223.255.255.254',
  // inside another one
  '198.11.12.13',
];

const V6 = [
  '2a02:4780::/32',
  '2a03:b0c0:1::1',
  '2a03:b0c0:1::2',
  '2a03:b0c0:1::3',
  '2001:67c:4e8::/48',
  '2400:cb00:ff:0:1::',
  '2a06:1280::-2a06:1280::4',
];

type GoldenName = 'ipv4' | 'ipv6' | 'both' | 'out' | 'only' | 'ports' | 'new' | 'policy-ports' | 'everything';

export const GOLDEN_INPUTS: Readonly<Record<GoldenName, GoldenInput>> = {
  ipv4: { in: V4 },
  ipv6: { in: V6 },
  both: { in: [...V6, ...V4] },
  out: {
    in: ['45.9.20.7', '2a02:4780::/32'],
    out: ['45.9.20.7', '77.91.64.0/22', '2a0d:f302::1', '2a0d:f302:1::/48'],
  },
  only: { in: [], only: ['91.200.0.0/22', '45.9.20.9', '2a02:4780::/32', '2a02:4781::1'] },
  ports: { in: ['45.9.20.7'], only: ['91.200.0.0/22', '2a02:4780::/32'], ports: [465, 22] },
  new: { in: ['45.9.20.7', '2a02:4780::/32'], policy: { drop: 'new' } },
  'policy-ports': { in: ['45.9.20.7', '2a02:4780::/32'], policy: { ports: [22, 443] } },
  everything: {
    in: ['45.9.20.7', '91.200.1.0/24', '2a02:4780::/32'],
    out: ['77.91.64.0/22', '2a0d:f302::1'],
    only: ['91.200.0.0/22', '2a02:4780::/32'],
    ports: [22],
    policy: {
      drop: 'new',
      ports: [443],
      skipInterfaces: ['docker*', 'wg0'],
      alsoOutbound: true,
      log: { count: 10, per: 'minute' },
      echoLimit: { count: 10, per: 'second' },
    },
  },
};
