import { createHash } from 'node:crypto';
import { BlocklistError } from '../errors.js';
import { escapeText } from '../io/escape.js';
import { findAccount } from '../io/passwd.js';
import { run } from '../io/run.js';
import type { Repository } from './repository.js';

/** What git calls an object, and how many bytes it has. */
export interface ObjectHeader {
  /** SHA-1 or SHA-256, lower-case hex */
  readonly id: string;
  readonly type: string;
  readonly size: number;
}

export interface GitObject extends ObjectHeader {
  readonly bytes: Buffer;
}

const HEADER = /^([0-9a-f]{40}|[0-9a-f]{64}) (blob|tree|commit|tag) (\d{1,15})$/;
const NEWLINE = 0x0a;
/** Room for headers, line ends and what git says on stderr, bytes. */
const WORDS_CAP = 1 << 20;
/** nobody's group on Debian; for owners that no account belongs to */
const NO_GROUP = 65534;

/**
 * git(1) with nothing of the system, of a home or of the caller in it. `cat-file` runs no hook, filter, pager or textconv; what the repository's own
 * configuration could still start is switched off by name. GIT_ALLOW_PROTOCOL overrides every protocol.*.allow, so that a partial clone
 * fetches nothing, also where git is too old for GIT_NO_LAZY_FETCH. (protocol.allow=never alone would not do: `protocol.ext.allow` of the repository wins.)
 */
const GIT_ENV = {
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_TERMINAL_PROMPT: '0',
  HOME: '/nonexistent',
};

/** Reads objects of one repository with its owner's rights, and believes none of them: the bytes must have the id that was asked for. */
export class GitObjects {
  private constructor(private readonly prefix: readonly [string, ...string[]]) {}

  /** @throws BlocklistError `repository-owner` when we are neither root nor its owner. */
  static async of({ gitDir, owner }: Repository, uid = process.geteuid?.() ?? -1): Promise<GitObjects> {
    if (uid !== owner && uid !== 0) {
      throw new BlocklistError('repository-owner', `${gitDir} belongs to user ${owner}, with whose rights it is read`, {
        where: gitDir,
        hint: 'run as that user or as root',
      });
    }
    // An explicit folder in place of a search, and a work tree in place of what core.worktree says; `-C /` as ours may be closed to the owner.
    const git = ['git', '-C', '/', `--git-dir=${gitDir}`, '--work-tree=/', '--no-pager'];
    const off = ['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'protocol.allow=never'];
    const command = [...git, ...off.flatMap((setting) => ['-c', setting]), 'cat-file'];
    return new GitObjects(uid === 0 ? [...(await rightsOf(owner)), ...command] : ['git', ...command.slice(1)]);
  }

  /** What each name (a revision or an id) stands for, in their order; undefined for what is not there. */
  async headers(names: readonly string[]): Promise<ReadonlyArray<ObjectHeader | undefined>> {
    const lines = (await this.ask('--batch-check', names, 0)).toString('utf8').split('\n');
    return names.map((_, i) => parseHeader(lines[i] ?? ''));
  }

  /** Objects by their full ids, in their order; undefined for what is not there. `cap` is the most bytes that all together may have. @throws BlocklistError `too-large`. */
  async read(ids: readonly string[], cap: number): Promise<ReadonlyArray<GitObject | undefined>> {
    if (ids.length === 0) return [];
    const sizes = (await this.headers(ids)).map((header) => header?.size ?? 0);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (total > cap) {
      throw new BlocklistError('too-large', `git holds ${total} bytes there, more than the ${cap} expected at most`, {
        hint: 'these are hardly rules: check the ref and paths.rules',
      });
    }
    const out = await this.ask('--batch', ids, total);
    let at = 0;
    return ids.map((id) => {
      const end = out.indexOf(NEWLINE, at);
      const header = end < 0 ? undefined : parseHeader(out.toString('latin1', at, end));
      at = end < 0 ? out.length : end + 1;
      if (header === undefined) return undefined;
      const bytes = out.subarray(at, at + header.size);
      at += header.size + 1;
      if (header.id !== id || idOf(header.type, bytes, id.length) !== id) {
        throw new BlocklistError('git-failed', `the object ${id} is damaged: its bytes have another id`, {
          where: id,
          hint: 'git fsck, as the owner of the repository, tells more',
        });
      }
      return { ...header, bytes };
    });
  }

  private async ask(mode: '--batch' | '--batch-check', names: readonly string[], size: number): Promise<Buffer> {
    const { status, stdout, stderr } = await run([...this.prefix, mode], {
      stdin: names.map((name) => `${name}\n`).join(''),
      env: GIT_ENV,
      outputCap: size + WORDS_CAP,
    });
    if (status === 0) return stdout;
    throw new BlocklistError('git-failed', `git cat-file ended with ${status}: ${escapeText(stderr.trim(), 300)}`, {
      where: this.prefix.find((word) => word.startsWith('--git-dir='))?.slice('--git-dir='.length) ?? 'git',
      hint: 'is git installed, and is this a repository? git fsck, as its owner, tells more',
    });
  }
}

/**
 * setpriv(1) in front of a program that root runs with the rights of another: no capability, none to be had by set-user-ID programs, and by setsid(1) no
 * terminal into which it could type. An owner of no account gets no groups; root's own repository is read as root without capabilities.
 */
async function rightsOf(owner: number): Promise<readonly [string, ...string[]]> {
  const account = await findAccount(({ uid }) => uid === owner);
  const groups =
    account === undefined
      ? ['--regid', String(NO_GROUP), '--clear-groups']
      : ['--regid', String(account.gid), '--init-groups'];
  const none = ['--bounding-set', '-all', '--inh-caps', '-all', '--ambient-caps', '-all', '--no-new-privs'];
  return ['setsid', '--wait', 'setpriv', '--reuid', String(owner), ...groups, ...none, '--'];
}

function parseHeader(line: string): ObjectHeader | undefined {
  const [, id, type = '', size] = HEADER.exec(line) ?? [];
  return id === undefined ? undefined : { id, type, size: Number(size) };
}

/** gitformat-pack(5): the hash of type, size and bytes. `length` of the id in hex tells which hash. */
function idOf(type: string, bytes: Buffer, length: number): string {
  const hash = createHash(length === 40 ? 'sha1' : 'sha256');
  return hash.update(`${type} ${bytes.length}\0`).update(bytes).digest('hex');
}
