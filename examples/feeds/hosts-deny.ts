import { isCommentLine, lineFormat } from '../../src/sources/feeds/formats/text.js';

/**
 * /etc/hosts.deny (hosts_access(5)): `daemons: clients : options`. Clients are addresses, `192.0.2.` for a /24, and `[2001:db8::]/32`; names
 * are left out, since a name is whatever its owner says today.
 */
export const hostsDeny = lineFormat(
  'hosts-deny',
  'daemons: clients, as /etc/hosts.deny has them; names of hosts are left out',
  (_, entries) => (line) => {
    if (isCommentLine(line)) return;
    const [, clients] = /^[^:]+:((?:\s*\[[^\]]*\][^,:]*|[^:[])+)/.exec(line) ?? [];
    if (clients === undefined) return entries.reject('missing field', line);
    for (const client of clients.split(/[\s,]+/).filter((text) => text !== '')) {
      if (/^[A-Za-z.-]*[A-Za-z][A-Za-z.-]*$/.test(client)) entries.leaveOut();
      else entries.takeText(written(client), line);
    }
  },
);

/** `185.220.101.` → `185.220.101.0/24`; `[2a0a:e5c0:13::]/48` without its brackets; anything else as it is. */
function written(client: string): string {
  const octets = client.split('.').length - 1;
  if (!client.endsWith('.')) return client.replace(/^\[([^\]]*)\]/, '$1');
  return `${client}${'0.'.repeat(3 - octets)}0/${octets * 8}`;
}
