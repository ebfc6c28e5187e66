import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Namespace } from './namespace.js';
import { type Background, until } from './processes.js';

/** Debian's firewalld in a network namespace, with a bus and a configuration folder of its own in the places where it looks for them. */
export class FirewalldServer {
  private server: Background | undefined;

  private constructor(
    readonly host: Namespace,
    private readonly folder: string,
  ) {}

  static async create(): Promise<FirewalldServer> {
    const folder = await mkdtemp(join(tmpdir(), 'blocklist-firewalld-'));
    await cp('/etc/firewalld', join(folder, 'etc'), { recursive: true });
    const host = await Namespace.withMounts(
      `mount --bind ${join(folder, 'etc')} /etc/firewalld; mkdir -p /run/dbus; mount -t tmpfs none /run/dbus`,
    );
    host.start(['dbus-daemon', '--system', '--nofork', '--nopidfile']);
    await until(
      'the bus is there',
      async () => (await host.run(['test', '-S', '/run/dbus/system_bus_socket'])).status === 0,
    );
    const firewalld = new FirewalldServer(host, folder);
    await firewalld.start();
    return firewalld;
  }

  async start(): Promise<void> {
    this.server = this.host.start(['firewalld', '--nofork', '--nopid']);
    await until('firewalld runs', async () => (await this.host.run(['firewall-cmd', '--state'])).status === 0, 30_000);
  }

  async stop(): Promise<void> {
    await this.server?.stop();
  }

  /** `firewall-cmd …`, which must succeed. */
  cmd(...args: readonly string[]): Promise<string> {
    return this.host.must(['firewall-cmd', ...args]);
  }

  /** A file of its configuration, as it is on disk. */
  path(...parts: readonly string[]): string {
    return join(this.folder, 'etc', ...parts);
  }

  async remove(): Promise<void> {
    await this.host.remove();
    await rm(this.folder, { recursive: true, force: true });
  }
}
