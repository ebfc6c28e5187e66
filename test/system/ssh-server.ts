import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Namespace } from './namespace.js';
import { type Background, must, until } from './processes.js';

/** A real sshd with keys, configuration and accounts of its own; nothing of this host's ssh is used or changed. */
export class SshServer {
  private constructor(
    private readonly folder: string,
    readonly port: number,
  ) {}

  /** Starts it in the namespace; `nobody` may log in there, too. */
  static async start(namespace: Namespace, port: number): Promise<SshServer> {
    const server = new SshServer(await mkdtemp(join(tmpdir(), 'blocklist-ssh-')), port);
    const { folder } = server;
    for (const key of ['host', 'user']) {
      await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)]);
    }
    const accounts = await readFile('/etc/passwd', 'utf8');
    await writeFile(join(folder, 'passwd'), accounts.replace(/^(nobody:.*:).*$/m, '$1/bin/sh'));
    await writeFile(
      join(folder, 'config'),
      [
        `Port ${port}`,
        `HostKey ${folder}/host`,
        `AuthorizedKeysFile ${folder}/user.pub`,
        'PidFile none',
        'UsePAM no',
        'StrictModes no',
        'PermitRootLogin yes',
        'PasswordAuthentication no',
        'UseDNS no',
        '',
      ].join('\n'),
    );
    await must(['chmod', '-R', 'a+rX', folder]);
    await must(['chmod', '600', join(folder, 'host'), join(folder, 'user')]);
    // `ip netns exec` gives a mount namespace of its own, so these mounts are seen by this sshd only. It wants its folder in /run.
    const mounts = `mount -t tmpfs none /run && mkdir /run/sshd && mount --bind '${folder}/passwd' /etc/passwd`;
    const command = `${mounts} && exec /usr/sbin/sshd -D -e -f '${folder}/config'`;
    const started = namespace.start(['sh', '-c', command]);
    await until('sshd listens', () => started.output().includes('Server listening on ::'));
    return server;
  }

  /** The client's command line. */
  argv(user: string, address: string, command: string, options: readonly string[] = []): string[] {
    const files = ['-F', 'none', '-i', join(this.folder, 'user'), '-o', 'UserKnownHostsFile=/dev/null'];
    const quiet = ['-o', 'StrictHostKeyChecking=no', '-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR'];
    return ['ssh', ...files, ...quiet, ...options, '-p', String(this.port), `${user}@${address}`, command];
  }

  /** A session that stays, and the number of its shell's process. */
  async session(from: Namespace, user: string, address: string, options: readonly string[] = []) {
    const session: Background = from.start(this.argv(user, address, 'echo pid $$; exec sleep 60', options));
    const pid = () => /pid (\d+)\n/.exec(session.output())?.[1];
    await until(`${user} is logged in`, () => pid() !== undefined);
    return { ...session, pid: Number(pid()) };
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
