import { describe, expect, test } from 'vitest';
import { openedBy, parseZones } from '../../src/host/firewalld-zones.js';
import { isOfUnit, parseSocketUnits } from '../../src/host/socket-units.js';
import { parseBoundLine } from '../../src/host/ss.js';
import { parseUfwRules } from '../../src/host/ufw-rules.js';

/** `firewall-cmd --list-all-zones`, firewalld 1.3. */
const ZONES = `internal
  target: default
  services: samba
  ports: 1/tcp

public (active)
  target: default
  icmp-block-inversion: no
  interfaces: eth0
  sources: 
  services: dhcpv6-client ssh
  ports: 8080/tcp 9000-9100/udp
  protocols: 
  source-ports: 99/udp
  rich rules: 
	rule port port="55" protocol="tcp" accept

trusted (default, active)
  target: ACCEPT
  services: 
  ports: 

odd; rm -rf / (active)
  target: default
  ports: 1/tcp
`;

describe('zones of firewalld', () => {
  const zones = parseZones(ZONES);
  const services = new Map([
    ['ssh', ['22/tcp']],
    ['dhcpv6-client', ['546/udp']],
    ['samba', ['137/udp', '445/tcp']],
  ]);

  test('what each of them has; names that are none of firewalld are left out', () => {
    expect(zones).toEqual([
      { name: 'internal', isActive: false, target: 'default', services: ['samba'], ports: ['1/tcp'] },
      {
        ...{ name: 'public', isActive: true, target: 'default' },
        ...{ services: ['dhcpv6-client', 'ssh'], ports: ['8080/tcp', '9000-9100/udp'] },
      },
      { name: 'trusted', isActive: true, target: 'ACCEPT', services: [], ports: [] },
    ]);
  });

  test.each<[protocol: 'tcp' | 'udp', port: number, by: unknown]>([
    ['tcp', 8080, [{ port: '8080/tcp' }]],
    ['udp', 8080, []],
    ['udp', 9000, ['all']],
    ['udp', 9100, ['all']],
    ['udp', 9101, []],
    ['tcp', 22, [{ service: 'ssh' }]],
    ['udp', 99, []],
    ['tcp', 808, []],
  ])('%s %i in zone public', (protocol, port, by) => {
    const [, zone] = zones;
    if (zone === undefined) throw new Error('sample');
    expect(openedBy([zone], services, protocol, port).map((each) => each.by)).toEqual(by);
  });

  test('several zones, one of which lets everything in', () => {
    expect(openedBy(zones, services, 'tcp', 445)).toEqual([
      { zone: 'internal', by: { service: 'samba' } },
      { zone: 'trusted', by: 'all' },
    ]);
  });
});

describe('ufw status', () => {
  test('rules of one port from anywhere', () => {
    const text = `Status: active

To                         Action      From
--                         ------      ----
8080/tcp                   ALLOW       Anywhere                  
22/tcp                     LIMIT       Anywhere                   # mine
53/udp                     DENY        Anywhere                  
8000:9000/tcp              ALLOW       Anywhere                  
443                        ALLOW       Anywhere                  
Nginx Full                 ALLOW       Anywhere                  
25/tcp                     ALLOW       198.51.100.0/24           
26/tcp on eth0             ALLOW       Anywhere                  
8081/tcp (v6)              REJECT      Anywhere (v6)             
`;
    expect([...(parseUfwRules(text) ?? [])]).toEqual([
      ['8080/tcp', 'allow'],
      ['22/tcp', 'limit'],
      ['53/udp', 'deny'],
      ['8081/tcp', 'reject'],
    ]);
  });
  test.each(['', 'Status: inactive\n', 'ERROR: problem running\n'])('%j: it is not active', (text) =>
    expect(parseUfwRules(text)).toBeUndefined(),
  );
});

describe('sockets that systemd holds', () => {
  /** systemctl show '*.socket' --property=Id --property=Listen, systemd 252 */
  const units = parseSocketUnits(`Listen=[::]:7000 (Stream)
Listen=0.0.0.0:7001 (Datagram)
Listen=127.0.0.1:7002 (Stream)
Id=act.socket

Listen=/run/dbus/system_bus_socket (Stream)
Id=dbus.socket

Listen=audit 1 (Netlink)
Id=systemd-journald-audit.socket

Listen=vsock:2:22 (Stream)
Listen=[::]:7003 (Stream)
Id=$(id).socket
`);

  test.each([
    ['tcp LISTEN 0 1 *:7000 *:* ino:1', true],
    ['tcp LISTEN 0 1 [::]:7000 [::]:* ino:1', true],
    ['udp UNCONN 0 0 *:7000 *:* ino:1', false],
    ['udp UNCONN 0 0 0.0.0.0:7001 0.0.0.0:* ino:1', true],
    ['tcp LISTEN 0 1 127.0.0.1:7002 0.0.0.0:* ino:1', true],
    ['tcp LISTEN 0 1 127.0.0.2:7002 0.0.0.0:* ino:1', false],
    ['tcp LISTEN 0 1 0.0.0.0:7002 0.0.0.0:* ino:1', false],
    ['tcp LISTEN 0 1 *:7003 *:* ino:1', false],
  ])('%s', (line, expected) => {
    const bound = parseBoundLine(line);
    if (bound === undefined) throw new Error('sample');
    expect(units.filter((unit) => isOfUnit(unit, bound)).map(({ name }) => name)).toEqual(
      expected ? ['act.socket'] : [],
    );
  });
});
