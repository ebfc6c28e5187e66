import { describe, expect, test } from 'vitest';
import type { Advice } from '../../src/check/advice.js';
import { adviceFor, type Surroundings, throughFirewall, unitNames } from '../../src/check/close.js';
import type { Firewall } from '../../src/host/firewall.js';
import type { SocketUnit } from '../../src/host/socket-units.js';
import { AROUND, doorOf, type ProcessSample } from './samples.js';

const words = (advice: Advice | undefined) =>
  advice?.kind === 'keep' ? `keep: ${advice.why}` : (advice?.command ?? 'ask the firewall');
const told = (ends: readonly string[], processes: readonly ProcessSample[], around: Partial<Surroundings> = {}) =>
  words(adviceFor(doorOf(ends, ...processes), { ...AROUND, ...around }));

const ANY = ['tcp 0.0.0.0:8080'];
const NGINX: ProcessSample = { path: '/usr/sbin/nginx', group: '/system.slice/nginx.service' };
const WAY_IN = 'keep: this is how you get in';
const FIREWALL = 'ask the firewall';

describe('by systemd', () => {
  const USERS = '/user.slice/user-1000.slice/user@1000.service';
  test.each<[what: string, processes: ProcessSample[], advice: string]>([
    ['a service', [NGINX], 'systemctl disable --now nginx.service'],
    ['with workers', [NGINX, { ...NGINX, pid: 101, parent: 100 }], 'systemctl disable --now nginx.service'],
    [
      'two services',
      [NGINX, { ...NGINX, pid: 101, group: '/system.slice/b.service' }],
      'systemctl disable --now nginx.service b.service',
    ],
    ['one that has a service and one that has none', [NGINX, { ...NGINX, pid: 101, group: '/' }], FIREWALL],
    ['transient', [{ ...NGINX, group: '/system.slice/run-u7.service' }], 'systemctl stop run-u7.service'],
    [
      'of a user',
      [{ ...NGINX, group: `${USERS}/app.slice/web.service` }],
      'systemctl --user --machine=ann@ disable --now web.service',
    ],
    ['of a user without a name', [{ ...NGINX, group: '/user@7.service/web.service' }], FIREWALL],
    ['of a user and of the system', [NGINX, { ...NGINX, pid: 101, group: `${USERS}/b.service` }], FIREWALL],
    ['the manager of a user', [{ path: '/usr/lib/systemd/systemd', group: `${USERS}/init.scope` }], FIREWALL],
    ['a session', [{ ...NGINX, group: '/user.slice/user-0.slice/session-3.scope' }], FIREWALL],
    ['a container', [{ ...NGINX, group: '/system.slice/docker-ab.scope' }], FIREWALL],
    ['nobody', [], FIREWALL],
    ['the first process, without systemd', [{ pid: 1, path: '/sbin/init' }], FIREWALL],
  ])('%s', (_, processes, advice) => expect(told(ANY, processes)).toBe(advice));

  test.each([
    ...[
      'systemd-resolved',
      'systemd-networkd',
      'NetworkManager',
      'networking',
      'dhcpcd',
      'dbus',
      'docker',
      'containerd',
    ],
    ...['ssh', 'sshd', 'ssh@3-127.0.0.1:22', 'dropbear', 'user@1000'],
  ])('%s.service is never stopped for a port', (unit) => {
    const process = { path: '/usr/sbin/x', group: `/system.slice/${unit}.service` };
    expect(told(ANY, [process])).toBe(FIREWALL);
    expect(words(throughFirewall(doorOf(ANY, process), { name: 'none' }))).not.toContain('systemctl');
  });

  const socket = (name: string, port: number, address = 'every'): SocketUnit => ({
    name,
    protocol: 'tcp',
    address,
    port,
  });
  const INIT: ProcessSample = { pid: 1, parent: 0, path: '/usr/lib/systemd/systemd', group: '/init.scope' };
  test('a socket, alone and with its service', () => {
    const socketUnits = [
      socket('cups.socket', 8080),
      socket('other.socket', 8081),
      socket('lo.socket', 8080, '127.0.0.1'),
    ];
    expect(told(ANY, [INIT], { socketUnits })).toBe('systemctl disable --now cups.socket');
    const both = [INIT, { ...NGINX, group: '/system.slice/cups.service' }];
    expect(told(ANY, both, { socketUnits })).toBe('systemctl disable --now cups.socket cups.service');
    expect(unitNames(doorOf(ANY, ...both), socketUnits)).toEqual(['cups.socket', 'cups.service']);
    expect(told(ANY, [INIT])).toBe(FIREWALL);
    // A service of its own with the same port is not that of the socket.
    expect(told(ANY, [NGINX], { socketUnits })).toBe('systemctl disable --now nginx.service');
  });
});

describe('what is kept', () => {
  const SSHD: ProcessSample = { path: '/usr/sbin/sshd', group: '/system.slice/ssh.service' };
  test.each<[what: string, ends: string[], processes: ProcessSample[], around: Partial<Surroundings>, advice: string]>([
    ['sshd', ['tcp 0.0.0.0:22', 'tcp [::]:22'], [SSHD], {}, WAY_IN],
    ['sshd on another port', ['tcp *:2222'], [SSHD], { sshPorts: new Set([2222]) }, WAY_IN],
    ['a session of sshd that forwards', ['tcp *:6000'], [SSHD], {}, FIREWALL],
    ['dropbear', ['tcp *:22'], [{ path: '/usr/sbin/dropbear' }], {}, WAY_IN],
    ['somebody with the name of sshd', ['tcp *:22'], [{ path: '/opt/x', name: 'sshd' }], {}, FIREWALL],
    ['whoever has the port of the caller', ANY, [NGINX], { callerPort: 8080 }, WAY_IN],
    ['the same number of UDP', ['udp *:8080'], [NGINX], { callerPort: 8080 }, 'systemctl disable --now nginx.service'],
    ['systemd with the port of SSH', ['tcp *:22'], [{ pid: 1, path: '/usr/lib/systemd/systemd' }], {}, WAY_IN],
    [
      'the port of SSH without an owner',
      ['tcp *:22'],
      [],
      {},
      'keep: SSH is served there as a rule, perhaps outside of this container',
    ],
    ['another port without an owner', ['tcp *:23'], [], {}, FIREWALL],
    [
      'what the own session opened',
      ANY,
      [{ path: '/usr/bin/python3', pid: 51 }],
      {},
      'keep: your own session opened it and takes it along when it ends',
    ],
    [
      'the client of DHCP',
      ['udp 0.0.0.0:68'],
      [{ path: '/usr/sbin/dhclient' }],
      {},
      'keep: this is how the host gets its address',
    ],
    [
      'DHCPv6',
      ['udp [fe80::1]%eth0:546'],
      [{ path: '/usr/lib/systemd/systemd-networkd' }],
      {},
      'keep: this is how the host gets its address',
    ],
    ['somebody else on its port', ['udp 0.0.0.0:68'], [{ path: '/opt/x' }], {}, FIREWALL],
    [
      'WireGuard that carries the session',
      ['udp *:51820'],
      [],
      { callerTunnel: 'wg0' },
      'keep: your session comes through wg0, which it may carry',
    ],
    ['WireGuard that does not', ['udp *:51820'], [], {}, FIREWALL],
    [
      'OpenVPN over TCP',
      ['tcp *:443'],
      [{ path: '/usr/sbin/openvpn' }],
      { callerTunnel: 'tun0' },
      'keep: your session comes through tun0, which it may carry',
    ],
  ])('%s', (_, ends, processes, around, advice) => expect(told(ends, processes, around)).toBe(advice));
});

describe('who is suspicious', () => {
  const ODD: ProcessSample = { path: '/dev/shm/x', group: '/system.slice/nginx.service' };
  test('stands still, and its service goes on as it is', () => {
    expect(told(ANY, [ODD])).toBe('kill -STOP 100');
    expect(told(ANY, [NGINX, { ...ODD, pid: 102, parent: 100 }])).toBe('kill -STOP 102');
    expect(told(['udp 0.0.0.0:68'], [{ path: '/tmp/dhclient' }])).toBe('kill -STOP 100');
    expect(told(ANY, [{ ...ODD, pid: 51 }])).toBe('kill -STOP 51');
    expect(told(ANY, [{ ...ODD, pid: 1 }])).toBe(FIREWALL);
  });
  test('where SSH is served others are shut out first', () => {
    expect(told(ANY, [ODD], { callerPort: 8080 })).toBe(AROUND.lockdown);
    expect(told(['tcp *:22'], [{ path: '/tmp/sshd' }])).toBe(AROUND.lockdown);
  });
});

test('a published port of Docker: the container, not the daemon', () => {
  const proxy = { path: '/usr/bin/docker-proxy', group: '/system.slice/docker.service' };
  expect(told(ANY, [proxy])).toBe('docker ps --filter publish=8080/tcp');
});

describe('by the firewall', () => {
  const door = doorOf(ANY, { path: '/opt/x', pid: 7 });
  const firewalld = (...opened: ReturnType<Extract<Firewall, { name: 'firewalld' }>['opened']>): Firewall => ({
    name: 'firewalld',
    opened: (protocol, port) => (`${protocol}${port}` === 'tcp8080' ? opened : []),
  });
  test.each<[firewall: Firewall, advice: string]>([
    [{ name: 'none' }, 'kill 7'],
    [{ name: 'ufw', rules: new Map([['8080/udp', 'allow']]) }, 'ufw prepend deny 8080/tcp'],
    [
      { name: 'ufw', rules: new Map([['8080/tcp', 'allow']]) },
      'ufw delete allow 8080/tcp && ufw prepend deny 8080/tcp',
    ],
    [firewalld(), 'kill 7'],
    [
      firewalld({ zone: 'public', by: { port: '8080/tcp' } }, { zone: 'home', by: { service: 'web' } }),
      'firewall-cmd --permanent --zone=public --remove-port=8080/tcp && firewall-cmd --permanent --zone=home --remove-service=web && firewall-cmd --reload',
    ],
  ])('%#', (firewall, advice) => expect(words(throughFirewall(door, firewall))).toBe(advice));

  test('the first process is never ended, nor is nobody', () => {
    const line = (ports: string) =>
      `nft 'add table inet closed_ports; add chain inet closed_ports input { type filter hook input priority 0; }; ${ports}'`;
    const rule = 'add rule inet closed_ports input tcp dport 8080 drop';
    for (const given of [doorOf(ANY), doorOf(ANY, { pid: 1, path: '/sbin/init' })]) {
      expect(words(throughFirewall(given, { name: 'none' }))).toBe(line(rule));
    }
    const advice = throughFirewall(doorOf(ANY), firewalld());
    expect(words(advice)).toBe('keep: firewalld opens it in no zone that is in use');
  });

  test('no rule is made about a port that changes', () => {
    const changing = doorOf(['udp 0.0.0.0:40000'], { path: '/usr/sbin/avahi-daemon', pid: 7 });
    expect(words(throughFirewall(changing, { name: 'ufw', rules: new Map() }))).toBe('kill 7');
  });
});
