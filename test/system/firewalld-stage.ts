import { FirewalldServer } from './firewalld-server.js';
import { connect, Namespace } from './namespace.js';

export const FIREWALLD_NEEDS = [
  'root',
  'netns',
  'mountns',
  'nft',
  'ip',
  'ss',
  'conntrack',
  'firewall-cmd',
  'dbus-daemon',
];
const ENDS = { 4: '203.0.112.1', 6: '2a09:77::1' } as const;

/** A host with firewalld, and a peer with a listed and an unlisted address of each family. */
export interface FirewalldStage {
  readonly firewalld: FirewalldServer;
  readonly host: Namespace;
  readonly peer: Namespace;
  /** whether a TCP connection to port 22 of the host comes about */
  readonly reaches: (from: string) => Promise<boolean>;
  readonly remove: () => Promise<void>;
}

export const LISTED = ['203.0.112.2', '2a09:77::2'] as const;
export const FREE = ['203.0.112.3', '2a09:77::3'] as const;

export async function firewalldStage(): Promise<FirewalldStage> {
  const firewalld = await FirewalldServer.create();
  const [host, peer] = [firewalld.host, await Namespace.create()];
  await connect(host, peer);
  await host.ip('addr add 203.0.112.1/24 dev wire', 'addr add 2a09:77::1/64 dev wire nodad');
  for (const address of [...LISTED, ...FREE]) {
    await peer.ip(`addr add ${address}${address.includes(':') ? '/64 dev wire nodad' : '/24 dev wire'}`);
  }
  // A listed address gets no answer to its neighbour solicitation: a router on the way would have asked for it.
  const mac = (await host.must(['cat', '/sys/class/net/wire/address'])).trim();
  for (const end of Object.values(ENDS)) await peer.ip(`neigh replace ${end} lladdr ${mac} nud permanent dev wire`);
  const echo = `const { createServer } = require('node:net');
    for (const host of ['0.0.0.0', '::'])
      createServer((s) => s.on('data', (d) => s.write(d)).on('error', () => 0)).listen({ port: 22, host, ipv6Only: true });`;
  host.start([process.execPath, '-e', echo]);
  const reaches = async (from: string) => {
    const end = ENDS[from.includes(':') ? 6 : 4];
    const code = `const s = require('node:net').connect({ host: '${end}', port: 22, localAddress: '${from}' });
      s.setTimeout(1000, () => process.exit(1)); s.on('error', () => process.exit(1)); s.on('connect', () => process.exit(0));`;
    return (await peer.run([process.execPath, '-e', code])).status === 0;
  };
  const remove = async () => {
    await firewalld.remove();
    await peer.remove();
  };
  return { firewalld, host, peer, reaches, remove };
}
