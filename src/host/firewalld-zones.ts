/** A zone as `firewall-cmd --list-all-zones` tells it. */
export interface Zone {
  readonly name: string;
  /** interfaces or senders belong to it */
  readonly isActive: boolean;
  /** `ACCEPT`: everything passes that no rule refuses */
  readonly target: string;
  readonly services: readonly string[];
  /** `8080/tcp`, `9000-9100/udp` */
  readonly ports: readonly string[];
}

/** How a zone lets a port in. `all`: by its target, or within a range of ports. */
export interface Opened {
  readonly zone: string;
  readonly by: { readonly port: string } | { readonly service: string } | 'all';
}

const HEAD = /^([\w-]+)(?: \(([a-z, ]*)\))?$/;
const WORD = /^[\w/.-]+$/;

/** Names with other characters than those of firewalld are left out: they go into commands. */
export function parseZones(text: string): Zone[] {
  return text.split(/\n(?=\S)/).flatMap((block) => {
    const [, name, marks = ''] = HEAD.exec(block.split('\n')[0] ?? '') ?? [];
    if (name === undefined) return [];
    const value = (key: string) => new RegExp(`^  ${key}: (.*)$`, 'm').exec(block)?.[1]?.trim() ?? '';
    const words = (key: string) =>
      value(key)
        .split(' ')
        .filter((word) => WORD.test(word));
    return [
      {
        name,
        isActive: marks.split(', ').includes('active'),
        target: value('target'),
        services: words('services'),
        ports: words('ports'),
      },
    ];
  });
}

/** @param services the ports of each service of these zones */
export function openedBy(
  zones: readonly Zone[],
  services: ReadonlyMap<string, readonly string[]>,
  protocol: 'tcp' | 'udp',
  port: number,
): Opened[] {
  return zones.flatMap(({ name: zone, target, ports, services: names }): Opened[] => {
    if (target === 'ACCEPT' || ports.some((each) => isRange(each) && holds(each, protocol, port))) {
      return [{ zone, by: 'all' }];
    }
    return [
      ...ports.filter((each) => holds(each, protocol, port)).map((each): Opened => ({ zone, by: { port: each } })),
      ...names
        .filter((name) => services.get(name)?.some((each) => holds(each, protocol, port)) === true)
        .map((service): Opened => ({ zone, by: { service } })),
    ];
  });
}

function isRange(ports: string): boolean {
  return ports.includes('-');
}

function holds(ports: string, protocol: 'tcp' | 'udp', port: number): boolean {
  const [, first, last = first, of] = /^(\d+)(?:-(\d+))?\/(\w+)$/.exec(ports) ?? [];
  return of === protocol && port >= Number(first) && port <= Number(last);
}
