import { afterEach, beforeEach, expect } from 'vitest';
import { factIn } from './host-facts.js';
import { connect, Namespace } from './namespace.js';
import { describeSystem, systemTest } from './requirements.js';

describeSystem('addresses and gateways of this host', ['root', 'netns', 'ip'], () => {
  let host: Namespace;
  let other: Namespace;
  beforeEach(async () => {
    [host, other] = [await Namespace.create(), await Namespace.create()];
    await connect(host, other);
  });
  afterEach(async () => {
    await host.remove();
    await other.remove();
  });

  systemTest('nothing but loopback: none of either', [], async () => {
    expect(await factIn(host, 'ownAddresses()')).toEqual([]);
    expect(await factIn(host, 'gateways()')).toEqual([]);
  });

  systemTest('every address of every interface, whatever its kind', [], async () => {
    await host.ip(
      'addr add 10.77.0.1/24 dev wire',
      'addr add 10.77.1.1 peer 10.77.1.2/32 dev wire',
      'addr add 10.77.0.1/25 dev wire',
      'addr add 169.254.7.7/16 dev wire',
      'addr add fd77::1/64 dev wire nodad',
      'addr add fd77::5/64 dev wire nodad preferred_lft 0',
      'addr add fd77::6/64 dev wire nodad mngtmpaddr',
      'addr add 203.0.113.1/32 dev lo',
    );
    const own = await factIn<string[]>(host, 'ownAddresses()');
    expect(own.sort()).toEqual(['10.77.0.1', '10.77.1.1', '203.0.113.1', 'fd77::1', 'fd77::5', 'fd77::6']);
  });

  const ROUTES = [
    'addr add 10.77.0.1/24 dev wire',
    'addr add fd77::1/64 dev wire nodad',
    '-4 route add default via 10.77.0.254',
    'route add default metric 5 nexthop via 10.77.0.253 nexthop via inet6 fd77::3',
    'route add default metric 6 via inet6 fd77::4 dev wire',
    'route add default metric 7 via inet6 fe80::7 dev wire',
    'route add 10.50.0.0/24 via 10.77.0.33',
    'route add unreachable default metric 999',
    'route add default via 10.77.0.77 table 77',
    '-6 route add default via fd77::fe',
    '-6 route add default metric 9 nexthop via fd77::fd nexthop via fe80::9 dev wire',
    '-6 route add unreachable default metric 999',
    'nexthop add id 5 via 10.77.0.99 dev wire',
    'nexthop add id 7 via 10.77.0.98 dev wire',
    'nexthop add id 6 group 5/7',
    'route add default nhid 6 table 78',
  ];
  const GATEWAYS = [
    '10.77.0.253',
    '10.77.0.254',
    '10.77.0.77',
    '10.77.0.98',
    '10.77.0.99',
    'fd77::3',
    'fd77::4',
    'fd77::fd',
    'fd77::fe',
  ];

  systemTest('next hops of default routes in every table, of several paths and of the other family', [], async () => {
    await host.ip(...ROUTES);
    expect((await factIn<string[]>(host, 'gateways()')).sort()).toEqual(GATEWAYS);
  });

  systemTest('next hops that are objects of their own', [], async () => {
    await host.ip(...ROUTES);
    await host.must(['sh', '-c', 'echo 0 > /proc/sys/net/ipv4/nexthop_compat_mode']);
    expect((await factIn<string[]>(host, 'gateways()')).sort()).toEqual(GATEWAYS);
  });
});
