/**
 * What passes the rules and what does not, by policy: the table of examples/rules/README.md as it stands there. Both families, where a row has both.
 * Listed and out-listed hosts stand in the lists, `elsewhere` is a country that `countries.only` does not name, `free` is everybody else. The
 * guest stands behind the host; ports 443 and 8080 of the host are published to its ports 80 and 22.
 */
export const POLICY_TABLE = `
| what | default | new | ports | new, ports | skip | out | out, new | echo | only | only, new | only ports, new |
|---|---|---|---|---|---|---|---|---|---|---|---|
| TCP of a listed host to port 22 | drop | drop | drop | drop | pass | drop | drop | drop | drop | drop | drop |
| TCP of a listed host to port 80 | drop | drop | pass | pass | pass | drop | drop | drop | drop | drop | drop |
| UDP of a listed host to port 53 | drop | drop | pass | pass | pass | drop | drop | drop | drop | drop | drop |
| UDP of a listed host to port 53, in fragments | drop | drop | pass | pass | pass | drop | drop | drop | drop | drop | drop |
| echo request of a listed host | drop | drop | pass | pass | pass | drop | drop | drop | drop | drop | drop |
| TCP of a listed host to the guest, port 22 | drop | drop | drop | drop | pass | drop | drop | drop | drop | drop | drop |
| TCP of a listed host to the guest, port 80 | drop | drop | pass | pass | pass | drop | drop | drop | drop | drop | drop |
| TCP of a listed host to the published port 443 | drop | drop | drop | drop | pass | drop | drop | drop | drop | drop | drop |
| TCP of a listed host to the published port 8080 | drop | drop | pass | pass | pass | drop | drop | drop | drop | drop | drop |
| a session that a listed host began before the load | drop | drop | drop | drop | pass | drop | drop | drop | drop | drop | drop |
| own TCP to a listed host | drop | pass | pass | pass | pass | drop | drop | drop | drop | pass | pass |
| own UDP to a listed host | drop | pass | pass | pass | pass | drop | drop | drop | drop | pass | pass |
| own echo request to a listed host | drop | pass | pass | pass | pass | drop | drop | drop | drop | pass | pass |
| the guest's TCP to a listed host | drop | pass | pass | pass | pass | drop | drop | drop | drop | pass | pass |
| a session with a listed host that this host began before the load | drop | pass | pass | pass | pass | drop | pass | drop | drop | pass | pass |
| a session with a listed host that the guest began before the load | drop | pass | pass | pass | pass | drop | pass | drop | drop | pass | pass |
| own TCP to an out-listed host | drop | drop | drop | drop | pass | drop | drop | drop | drop | drop | drop |
| the guest's TCP to an out-listed host | drop | drop | drop | drop | drop | drop | drop | drop | drop | drop | drop |
| a session with an out-listed host that this host began before the load | drop | pass | drop | pass | pass | drop | pass | drop | drop | pass | pass |
| TCP of an out-listed host, which must be answered | drop | pass | drop | pass | pass | drop | pass | drop | drop | pass | pass |
| TCP of a host elsewhere to port 22 | pass | pass | pass | pass | pass | pass | pass | pass | drop | drop | drop |
| TCP of a host elsewhere to port 80 | pass | pass | pass | pass | pass | pass | pass | pass | drop | drop | pass |
| TCP of a host elsewhere to the published port 443 | pass | pass | pass | pass | pass | pass | pass | pass | drop | drop | pass |
| UDP of a host elsewhere to port 53, in fragments | pass | pass | pass | pass | pass | pass | pass | pass | drop | drop | pass |
| echo request of a host elsewhere | pass | pass | pass | pass | pass | pass | pass | pass | drop | drop | pass |
| a session that a host elsewhere began before the load | pass | pass | pass | pass | pass | pass | pass | pass | drop | drop | drop |
| own TCP to a host elsewhere | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| own echo request to a host elsewhere | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| TCP of a free host to port 22 | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| UDP of a free host to port 53, in fragments | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| TCP of a free host to the guest, port 22 | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| TCP of a free host to the published port 443 | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| a session that a free host began before the load | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| own TCP to a free host | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| the guest's TCP to a free host | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| echo request of a free host | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| a dozen echo requests of a free host at once | pass | pass | pass | pass | pass | pass | pass | drop | pass | pass | pass |
| packet too big, fragmentation needed, of a listed router | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| time exceeded of a listed router | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| port unreachable of a listed host | drop | drop | pass | pass | pass | drop | drop | drop | drop | drop | drop |
| packet too big, fragmentation needed, of a router elsewhere | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| neighbour solicitation of a listed host | drop | drop | pass | pass | pass | drop | drop | drop | drop | drop | drop |
| neighbour solicitation of a host elsewhere | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| router advertisement | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| report of a multicast listener | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
| DHCP answer of a listed server | drop | drop | pass | pass | pass | drop | drop | drop | drop | drop | drop |
| DHCP answer of a server elsewhere | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass | pass |
`;

/** What the columns of the table stand for: parts of a configuration. */
export const POLICIES: Readonly<Record<string, { readonly policy?: object; readonly countries?: object }>> = {
  default: {},
  new: { policy: { drop: 'new' } },
  ports: { policy: { ports: [22, 443] } },
  'new, ports': { policy: { drop: 'new', ports: [22, 443] } },
  skip: { policy: { 'skip-interfaces': ['wire'] } },
  out: { policy: { 'also-outbound': true } },
  'out, new': { policy: { 'also-outbound': true, drop: 'new' } },
  echo: { policy: { 'icmp-echo-limit': '1/minute' } },
  only: { countries: { only: ['de'] } },
  'only, new': { countries: { only: ['de'] }, policy: { drop: 'new' } },
  'only ports, new': { countries: { only: ['de'], ports: [22] }, policy: { drop: 'new' } },
};

/** The cells of a table in Markdown by row and column. */
export function cellsOf(markdown: string): Map<string, Map<string, string>> {
  const [head = [], , ...rows] = markdown
    .trim()
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return new Map(
    rows.map(([what = '', ...cells]) => [what, new Map(cells.map((cell, i) => [head[i + 1] ?? '', cell]))]),
  );
}
