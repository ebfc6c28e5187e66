import type { Prefix } from '../ip/index.js';
import { singleAddress } from '../ip/index.js';
import type { Socket } from './sockets.js';

/** The ends of a connection as SSH_CONNECTION (ssh(1)) names them: a claim, which any process may set to anything. */
export interface SshConnection {
  readonly client: { readonly address: Prefix; readonly port: number };
  readonly server: { readonly address: Prefix; readonly port: number };
}

const PORT = /^[1-9]\d{0,4}$/;

function end(host: string, digits: string): SshConnection['client'] | undefined {
  const address = singleAddress(host);
  const port = PORT.test(digits) ? Number(digits) : 0;
  return address === undefined || port < 1 || port > 65_535 ? undefined : { address, port };
}

/** `203.0.113.7 50122 192.0.2.2 22`; undefined for anything else, as `UNKNOWN 65535 UNKNOWN 65535` for a session without network. */
export function parseSshConnection(text: string | undefined): SshConnection | undefined {
  const words = text?.split(' ') ?? [];
  const [clientHost = '', clientPort = '', serverHost = '', serverPort = ''] = words;
  const [client, server] = [end(clientHost, clientPort), end(serverHost, serverPort)];
  return words.length !== 4 || client === undefined || server === undefined ? undefined : { client, server };
}

function isSame(a: SshConnection['client'], b: SshConnection['client']): boolean {
  const { words } = b.address;
  return a.port === b.port && a.address.family === b.address.family && a.address.words.every((w, k) => w === words[k]);
}

/** Whether this is the server's socket of the connection: all four values. */
export function isConnection({ local, peer }: Pick<Socket, 'local' | 'peer'>, claim: SshConnection): boolean {
  return isSame(local, claim.server) && isSame(peer, claim.client);
}
