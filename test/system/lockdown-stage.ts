import { connect, Namespace } from './namespace.js';
import { type Background, type Ran, until } from './processes.js';
import { CLI } from './requirements.js';
import { SshServer } from './ssh-server.js';

export const NEEDS = ['root', 'netns', 'mountns', 'nft', 'ip', 'ss', 'conntrack', 'sshd', 'ssh', 'ping'];
export const ADMIN = ['203.0.112.2', '2a09:77::2'] as const;
export const STRANGER = ['203.0.112.3', '2a09:77::3'] as const;
export const HOST = ['203.0.112.1', '2a09:77::1'] as const;
const GUEST = ['10.9.0.2', 'fd09::2'] as const;
export const SSH_PORT = 2222;
/** where something else than SSH is served */
export const OTHER_PORT = 4444;
/** where the client serves something to the host */
const OUTSIDE_PORT = 7000;

/** From where a TCP connection is tried, to where. */
export type Probe = readonly [from: string, to: string, port: number];

const PROBE = `
  const net = require('node:net');
  const tried = JSON.parse(process.argv[1]).map(([localAddress, host, port]) => new Promise((done) => {
    const socket = net.connect({ localAddress, host, port });
    const end = (isOpen) => { socket.destroy(); done(isOpen); };
    socket.setTimeout(1500, () => end(false));
    socket.on('connect', () => end(true)).on('error', () => end(false));
  }));
  Promise.all(tried).then((all) => console.log(JSON.stringify(all)));
`;
const LISTEN = `
  require('node:net').createServer((socket) => socket.on('error', () => {})).listen(Number(process.argv[1]), '::', () => console.log('ready'));
`;

/** A host with a real sshd, an administrator and a stranger at the other end of a cable, and a guest that the host routes for; both families. */
export class LockdownStage {
  private constructor(
    readonly host: Namespace,
    readonly client: Namespace,
    readonly guest: Namespace,
    readonly server: SshServer,
  ) {}

  static async create(): Promise<LockdownStage> {
    const [host, client, guest] = [await Namespace.create(), await Namespace.create(), await Namespace.create()];
    await connect(host, client);
    await host.ip(`addr add ${HOST[0]}/24 dev wire`, `addr add ${HOST[1]}/64 dev wire nodad`);
    for (const [v4, v6] of [ADMIN, STRANGER]) {
      await client.ip(`addr add ${v4}/24 dev wire`, `addr add ${v6}/64 dev wire nodad`);
    }
    await host.ip('link add inside type veth peer name outside');
    await host.ip(`link set outside netns ${guest.name}`, 'link set inside up');
    await host.ip('addr add 10.9.0.1/24 dev inside', 'addr add fd09::1/64 dev inside nodad');
    await guest.ip(`addr add ${GUEST[0]}/24 dev outside`, `addr add ${GUEST[1]}/64 dev outside nodad`);
    await guest.ip('link set outside up', 'route add default via 10.9.0.1', '-6 route add default via fd09::1');
    await client.ip(`route add 10.9.0.0/24 via ${HOST[0]}`, `-6 route add fd09::/64 via ${HOST[1]}`);
    for (const key of ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']) {
      await host.must(['sysctl', '-qw', `${key}=1`]);
    }
    const server = await SshServer.start(host, SSH_PORT);
    const stage = new LockdownStage(host, client, guest, server);
    await stage.listen(host, OTHER_PORT);
    await stage.listen(client, OUTSIDE_PORT);
    await stage.listen(guest, OTHER_PORT);
    return stage;
  }

  private async listen(where: Namespace, port: number): Promise<void> {
    const started = where.start([process.execPath, '-e', LISTEN, String(port)]);
    await until('somebody listens', () => started.output().includes('ready'));
  }

  /** `blocklist COMMAND…` on the host, without any configuration. */
  blocklist(...command: readonly string[]): Promise<Ran> {
    return this.host.run([process.execPath, CLI, ...command]);
  }

  /** The same in a session of SSH from this address. */
  async throughSsh(from: string, ...command: readonly string[]): Promise<Ran> {
    const to = from.includes(':') ? HOST[1] : HOST[0];
    return this.client.run(this.server.argv('root', to, [process.execPath, CLI, ...command].join(' '), ['-b', from]));
  }

  /** A session of root from this address that stays, with the sshd that serves it. */
  async session(from: string): Promise<Background & { readonly sshd: number; readonly from: string }> {
    const made = await this.server.session(this.client, 'root', from.includes(':') ? HOST[1] : HOST[0], ['-b', from]);
    const sshd = Number((await this.host.must(['ps', '-o', 'ppid=', '-p', String(made.pid)])).trim());
    return { ...made, sshd, from };
  }

  /** Which of these connections come about, all tried at once. */
  async reached(where: Namespace, probes: readonly Probe[]): Promise<boolean[]> {
    return JSON.parse(await where.must([process.execPath, '-e', PROBE, JSON.stringify(probes)])) as boolean[];
  }

  /** Whether each of these addresses answers a ping. */
  async pings(from: Namespace, addresses: readonly string[]): Promise<boolean[]> {
    const tries = addresses.map((address) => from.run(['ping', '-n', '-c', '1', '-W', '1', address]));
    return (await Promise.all(tries)).map(({ status }) => status === 0);
  }

  /** What passes now, each in both families. */
  async traffic() {
    const both = (from: readonly string[], to: readonly string[], port: number) =>
      [0, 1].map((i): Probe => [from[i] ?? '', to[i] ?? '', port]);
    const inward = [
      ...both(ADMIN, HOST, SSH_PORT),
      ...both(STRANGER, HOST, SSH_PORT),
      ...both(ADMIN, HOST, OTHER_PORT),
      ...both(STRANGER, HOST, OTHER_PORT),
      ...both(ADMIN, GUEST, OTHER_PORT),
    ];
    const inside = [...both(['127.0.0.1', '::1'], ['127.0.0.1', '::1'], OTHER_PORT), ...both(HOST, HOST, OTHER_PORT)];
    const [came, went, local, guests, pinged, pinging] = await Promise.all([
      this.reached(this.client, inward),
      this.reached(this.host, both(HOST, STRANGER, OUTSIDE_PORT)),
      this.reached(this.host, inside),
      this.reached(this.guest, both(GUEST, STRANGER, OUTSIDE_PORT)),
      this.pings(this.client, HOST),
      this.pings(this.host, STRANGER),
    ]);
    return {
      'administrator to SSH': came.slice(0, 2),
      'stranger to SSH': came.slice(2, 4),
      'administrator to another port': came.slice(4, 6),
      'stranger to another port': came.slice(6, 8),
      'forwarded to a guest': came.slice(8, 10),
      'begun by a guest': guests,
      'begun by the host': went,
      'within the host': local,
      'ping of the host': pinged,
      'ping by the host': pinging,
    };
  }

  async remove(): Promise<void> {
    for (const each of [this.guest, this.client, this.host]) await each.remove();
    await this.server.remove();
  }
}

const [OPEN, SHUT] = [
  [true, true],
  [false, false],
];
/** Without a lockdown. */
export const ALL_OPEN: Awaited<ReturnType<LockdownStage['traffic']>> = {
  'administrator to SSH': OPEN,
  'stranger to SSH': OPEN,
  'administrator to another port': OPEN,
  'stranger to another port': OPEN,
  'forwarded to a guest': OPEN,
  'begun by a guest': OPEN,
  'begun by the host': OPEN,
  'within the host': [true, true, true, true],
  'ping of the host': OPEN,
  'ping by the host': OPEN,
};
export const LOCKED: typeof ALL_OPEN = {
  ...ALL_OPEN,
  'stranger to SSH': SHUT,
  'administrator to another port': SHUT,
  'stranger to another port': SHUT,
  'forwarded to a guest': SHUT,
  'begun by a guest': SHUT,
  'ping of the host': SHUT,
};
export const CUT: typeof ALL_OPEN = { ...LOCKED, 'begun by the host': SHUT, 'ping by the host': SHUT };
