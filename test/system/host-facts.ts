import type { Namespace } from './namespace.js';

const DIST = new URL('../../dist/', import.meta.url).href;

/**
 * A module for node that prints the value of an expression as JSON; addresses become text, `undefined` becomes null. In its scope are
 * the functions of src/host and `ip`.
 */
export function script(expression: string): string {
  return `
    import * as ip from '${DIST}ip/index.js';
    import * as addresses from '${DIST}host/addresses.js';
    import * as flowList from '${DIST}host/flows.js';
    import * as socketList from '${DIST}host/sockets.js';
    import * as ssh from '${DIST}host/ssh.js';
    const { ownAddresses, gateways } = addresses;
    const { flows, removeFlow, removeFlowsOf } = flowList;
    const { sockets, closeSocket } = socketList;
    const { invokingSshSession, sshPeers, sshPorts } = ssh;
    const text = (_, value) => (value?.words === undefined ? value : ip.formatPrefix(value));
    const value = await (${expression});
    process.stdout.write(JSON.stringify(value ?? null, text));
  `;
}

/** What the expression is inside this namespace, as root; `prefix` goes before the program. */
export async function factIn<T>(namespace: Namespace, expression: string, prefix: readonly string[] = []): Promise<T> {
  const argv = [...prefix, process.execPath, '--input-type=module', '-'];
  return JSON.parse(await namespace.must(argv, { stdin: script(expression) })) as T;
}

/** How sockets look as JSON. */
export interface SocketFact {
  readonly protocol: string;
  readonly state: string;
  readonly local: EndpointFact;
  readonly peer: EndpointFact;
  readonly processes: ReadonlyArray<{ readonly name: string; readonly pid: number }>;
}

export interface EndpointFact {
  readonly address: string;
  readonly port: number;
  readonly text: string;
}
