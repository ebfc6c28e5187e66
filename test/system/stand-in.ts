import { access, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Namespace } from './namespace.js';
import { must, type Ran, type RunOptions } from './processes.js';

/**
 * A script in the place of nft, inside a mount namespace: what happens at the N-th transaction of a command is decided there, not by
 * time. In the script `$nft` is the real one, `$load` what loads in its place (the script may set it), `$n` the number of the
 * transaction, `$PPID` the command; nothing is decided for listings.
 */
export class StandIn {
  private constructor(private readonly folder: string) {}

  static async create(): Promise<StandIn> {
    const folder = await mkdtemp(join(tmpdir(), 'blocklist-nft-'));
    await must(['cp', '/usr/sbin/nft', join(folder, 'nft')]);
    return new StandIn(folder);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /**
   * Runs a command in the namespace with the stand-in.
   * @param transaction script for sh in place of a transaction; without an `exit` in it `$load` follows
   * @returns as `run`, 137 when the command was killed
   */
  async run(
    namespace: Namespace,
    transaction: string,
    command: readonly string[],
    options: RunOptions = {},
  ): Promise<Ran> {
    const count = this.path('count');
    const script = [
      '#!/bin/sh',
      `nft=${this.path('nft')}`,
      'load=$nft',
      '[ "$1" = -f ] || exec $nft "$@"',
      // Two of a first load run side by side.
      `n=$(flock ${count}.lock sh -c 'n=$(($(cat ${count}) + 1)); echo $n > ${count}; echo $n')`,
      transaction,
      '$load "$@"',
    ];
    await writeFile(this.path('script'), `${script.join('\n')}\n`, { mode: 0o755 });
    await writeFile(count, '0');
    const mount = `mount --bind ${this.path('script')} /usr/sbin/nft; "$@"; exit $?`;
    return namespace.run(['unshare', '-m', 'sh', '-c', mount, 'sh', ...command], options);
  }

  /** How many transactions the last command asked for. */
  async transactions(): Promise<number> {
    return Number(await readFile(this.path('count'), 'utf8'));
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/** As if the half minute had passed after which the lock of a killed run is taken over. */
export async function ageLock(state: string): Promise<void> {
  const lock = join(state, 'lock');
  const longAgo = new Date(Date.now() - 31_000);
  const isThere = await access(lock).then(
    () => true,
    () => false,
  );
  if (isThere) await utimes(lock, longAgo, longAgo);
}

/**
 * For the script of a stand-in: a kernel that refuses transactions of this many bytes, in the words of the real one. It
 * stands for the send buffer of a user namespace, which takes some 8 MiB. What it reads is kept in the stand-in's own folder: `$0` is /usr/sbin/nft to
 * every test that runs at the same time.
 */
export function smallBuffer(bytes: number): string {
  return `
    small() {
      cat > $nft.stdin.$n
      [ $(wc -c < $nft.stdin.$n) -lt ${bytes} ] || { echo 'netlink: Error: Could not process rule: Message too long' >&2; return 1; }
      $nft "$@" < $nft.stdin.$n
    }
    load=small`;
}
