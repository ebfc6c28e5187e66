import { BlocklistError } from '../errors.js';
import { heldFile } from '../io/held-file.js';
import { type RunOptions, type RunResult, run } from '../io/run.js';
import { type Address, formatAddress } from '../ip/index.js';
import type { KernelCommand, LocalElement } from '../render/commands.js';
import { FAMILY, type KernelName, type LocalSetName, SEEN_SETS, type SeenSetName, TABLE } from '../render/layout.js';
import { printText } from '../render/nft-text.js';
import { type LiveTable, parseListing, parseSet } from './live.js';
import { noPermission } from './right.js';
import { parseSeen, type SeenHost } from './seen-hosts.js';

/** Oldest version with the set comments and the set keys that the rules use; 1.0.6 is what the tests run. */
const OLDEST = [1, 0, 2] as const;
/** A first load of the largest real sets takes about a second; a machine that swaps may need a hundred times that. */
const LOAD_TIMEOUT_MS = 180_000;

/** The nft program, as the only way to the kernel. */
export class Nft {
  /** @param prefix what stands before `nft`: the way into a network namespace other than ours */
  constructor(private readonly prefix: readonly string[] = []) {}

  private run(args: readonly string[], options?: RunOptions): Promise<RunResult> {
    const [program = 'nft', ...rest] = [...this.prefix, 'nft', ...args];
    return run([program, ...rest], options);
  }

  /** Lets nft read the script without changing anything. @throws as `load` */
  async check(script: Uint8Array): Promise<void> {
    await this.feed(['-c', '-f', '-'], script);
  }

  /**
   * Runs the script as one transaction: all of it, or nothing.
   * @throws BlocklistError `no-permission`, `nft-message-too-long`, `nft-refused`; the kernel is then as before.
   */
  async load(script: Uint8Array): Promise<void> {
    await this.feed(['-f', '-'], script);
  }

  private async feed(args: readonly string[], script: Uint8Array): Promise<void> {
    const input = await heldFile(script);
    try {
      succeeded(await this.run(args, { input, timeoutMs: LOAD_TIMEOUT_MS }));
    } finally {
      await input.close();
    }
  }

  /** The commands as one transaction; without any, the kernel is not asked. @throws as `load` */
  async commit(commands: readonly KernelCommand[]): Promise<void> {
    if (commands.length > 0) await this.load(printText([], commands));
  }

  /**
   * Our table without its elements, in milliseconds whatever it holds; undefined when there is none.
   * @throws BlocklistError `program-missing`, `no-permission`, `nft-too-old`
   */
  async structure(): Promise<LiveTable | undefined> {
    // `-t list ruleset` is the listing that does not read every element first, as `-t list table` does.
    const result = await this.run(['-j', '-t', 'list', 'ruleset']);
    const listing = result.stdout.toString('utf8');
    // nft tells its version with every listing; one that is so old that it cannot list like this is asked.
    const version = /"version": "([^"]+)"/.exec(listing)?.[1];
    if (version === undefined) await nftVersion();
    else requireRecent(version);
    return parseListing(succeeded(result).stdout.toString('utf8'), 'no elements');
  }

  /** The same with the elements of the host-local sets, which are small. */
  async situation(): Promise<LiveTable | undefined> {
    const live = await this.structure();
    return live && { ...live, local: await this.localSets([...live.local.keys()]) };
  }

  /** Our whole table with every element; undefined when there is none. */
  async contents(): Promise<LiveTable | undefined> {
    const result = await this.run(['-j', 'list', 'table', FAMILY, TABLE], { timeoutMs: LOAD_TIMEOUT_MS });
    if (result.status !== 0 && /No such file or directory/.test(result.stderr)) return undefined;
    return parseListing(succeeded(result).stdout.toString('utf8'));
  }

  /** The elements of those host-local sets that are there. Small sets are read without the large ones beside them. */
  async localSets(names: readonly LocalSetName[]): Promise<ReadonlyMap<LocalSetName, readonly LocalElement[]>> {
    const found = await Promise.all(
      names.map(async (name) => {
        const { stdout } = succeeded(await this.run(['-j', 'list', 'set', FAMILY, TABLE, name]));
        return [name, parseSet(stdout.toString('utf8'), name)] as const;
      }),
    );
    return new Map(found);
  }

  /** The listed hosts that the rules remember, IPv4 first; undefined when our table is not there. Read without the large sets beside them. */
  async seen(): Promise<readonly SeenHost[] | undefined> {
    const found = await Promise.all(
      SEEN_SETS.map(async (name) => {
        const result = await this.run(['-j', 'list', 'set', FAMILY, TABLE, name]);
        if (result.status !== 0 && /No such file or directory/.test(result.stderr)) return undefined;
        return parseSeen(succeeded(result).stdout.toString('utf8'), name);
      }),
    );
    const there = found.filter((hosts) => hosts !== undefined);
    return there.length < found.length ? undefined : there.flat();
  }

  /** Whether a set that is there holds an address. @throws as `structure` */
  async holds(set: KernelName | LocalSetName, address: Address): Promise<boolean> {
    return (await this.element(set, address)) !== undefined;
  }

  /** How much was dropped of a host that the rules remember, in packets and bytes. @throws as `structure` */
  async seenOf(set: SeenSetName, host: Address): Promise<readonly [packets: number, bytes: number] | undefined> {
    const text = await this.element(set, host);
    const [, packets, bytes] = /counter packets (\d+) bytes (\d+)/.exec(text ?? '') ?? [];
    return packets === undefined ? undefined : [Number(packets), Number(bytes)];
  }

  /** The element with an address, in a listing of its set; undefined when there is none. `-j` is without effect here in nft 1.0.6. */
  private async element(set: KernelName | LocalSetName | SeenSetName, address: Address): Promise<string | undefined> {
    const element = `{ ${formatAddress(address.family, address.words)} }`;
    const result = await this.run(['get', 'element', FAMILY, TABLE, set, element]);
    // nft has one status for every failure; this one is no failure.
    if (result.status !== 0 && /No such file or directory/.test(result.stderr)) return undefined;
    return succeeded(result).stdout.toString('utf8');
  }

  /** What `nft -j` prints of whatever is named. @throws BlocklistError `program-missing`, `no-permission`, `nft-refused` */
  async list(...args: readonly string[]): Promise<string> {
    return succeeded(await this.run(['-j', ...args])).stdout.toString('utf8');
  }

  /** Our table as nft prints it, which nft reads again. */
  async snapshot(): Promise<Buffer> {
    return succeeded(await this.run(['list', 'table', FAMILY, TABLE], { timeoutMs: LOAD_TIMEOUT_MS })).stdout;
  }

  /** Removes our table, whether or not it is there: somebody may have been faster. */
  async deleteTable(): Promise<void> {
    await this.load(Buffer.from(`add table ${FAMILY} ${TABLE}\ndelete table ${FAMILY} ${TABLE}\n`));
  }
}

/** The version of nft. @throws BlocklistError `program-missing`, `nft-too-old` */
export async function nftVersion(): Promise<string> {
  return requireRecent((await run(['nft', '--version'])).stdout.toString('utf8').trim());
}

/** The numbers of a version that is not too old. */
function requireRecent(text: string): string {
  const found = /(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number) ?? [];
  const differing = OLDEST.findIndex((part, k) => (found[k] ?? 0) !== part);
  if (found.length === 3 && (differing < 0 || (found[differing] ?? 0) > (OLDEST[differing] ?? 0)))
    return found.join('.');
  throw new BlocklistError('nft-too-old', `nft is ${text}, needed is ${OLDEST.join('.')} or newer`, {
    where: 'nft --version',
    hint: 'install a newer nftables package',
  });
}

/** The result of a run that went well. nft has one exit status for every failure, so its text (in the C locale) has to tell them apart. */
function succeeded(result: RunResult): RunResult {
  if (result.status === 0) return result;
  const { stderr } = result;
  const said = stderr.trim().split('\n').slice(0, 3).join(' ').slice(0, 300);
  if (/Operation not permitted|must be root/.test(stderr)) {
    throw noPermission();
  }
  if (/Message too long|No buffer space/.test(stderr)) {
    throw new BlocklistError(
      'nft-message-too-long',
      'the kernel refused the transaction as too large; nothing was changed',
      {
        where: 'nft',
        hint: 'inside a container or user namespace: raise net.core.wmem_max on the host',
      },
    );
  }
  throw new BlocklistError(
    'nft-refused',
    `nft refused: ${said || `exit status ${result.status}`}; nothing was changed`,
    {
      where: 'nft',
      hint: 'see nft list ruleset for what is loaded; report this with the message above',
    },
  );
}

/** Elements of each set that are checked. In a user namespace nft cannot raise the buffer of its socket, 208 KiB: there the few must do. */
const SAMPLE_SIZES = [1000, 100];

export type NamespaceCheck =
  | { readonly checked: true; readonly size: number }
  | { readonly checked: false; readonly why: string };

/**
 * Lets nft check a script in a network namespace of its own, where nothing of this host can be touched: for a build, which
 * must not need the right to change the firewall.
 * @param scriptOf the script with so many elements of each set
 * @throws BlocklistError `nft-refused` when nft finds fault with it.
 */
export async function checkInNewNamespace(scriptOf: (size: number) => Uint8Array): Promise<NamespaceCheck> {
  let why = '';
  // As root, or with a user namespace around it where plain users may make one.
  for (const unshare of [['unshare', '-n'] as const, ['unshare', '-r', '-n'] as const]) {
    try {
      const probe = await run([...unshare, 'nft', 'list', 'tables']);
      why ||= probe.stderr.trim().split('\n')[0] ?? '';
      if (probe.status !== 0) continue;
    } catch (error) {
      if (error instanceof BlocklistError && error.code === 'program-missing')
        return { checked: false, why: error.message };
      throw error;
    }
    return checkIn(unshare, scriptOf);
  }
  return { checked: false, why: why || 'not allowed here' };
}

async function checkIn(
  unshare: readonly [string, ...string[]],
  scriptOf: (size: number) => Uint8Array,
): Promise<NamespaceCheck> {
  for (const size of SAMPLE_SIZES) {
    try {
      const script = scriptOf(size);
      succeeded(await run([...unshare, 'nft', '-c', '-f', '-'], { stdin: script, timeoutMs: LOAD_TIMEOUT_MS }));
      return { checked: true, size };
    } catch (error) {
      if (!(error instanceof BlocklistError && error.code === 'nft-message-too-long')) throw error;
    }
  }
  return { checked: false, why: 'nft may hand the kernel small transactions only' };
}
