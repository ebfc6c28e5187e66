import { join } from 'node:path';
import { BlocklistError } from '../../errors.js';
import type { Validators } from '../../io/http.js';
import type { Loaded, Network, Source } from '../contract.js';
import { SeenFile } from '../seen-file.js';
import type { Ban, BanReader, BansRead, KnownBans } from './contract.js';
import { inForce } from './in-force.js';
import { keptBansFile, readKeptBans, writeKeptBans } from './kept-bans.js';

/** Limits on what one source of bans may ban. */
export interface BanLimits {
  /** shortest IPv4 prefix length accepted */
  readonly maxPrefixV4: number;
  readonly maxPrefixV6: number;
  /** 0…1: larger shares of unreadable bans refuse the source */
  readonly maxRejects: number;
  /** milliseconds */
  readonly maxAgeMs: number;
}

export interface BanEnvironment {
  /** folder of what is kept of all sources of bans */
  readonly cache: string;
  /** folder of the histories */
  readonly seen: string;
  readonly now: () => number;
  readonly limits: BanLimits;
}

/** The bans of a reader as a source: those in force now. They fall back to the last ones read, of which more and more are over. */
export function banSource(reader: BanReader, environment: BanEnvironment): Source {
  return {
    id: reader.id,
    kind: 'bans',
    direction: 'in',
    load: (network) => new BanLoad(reader, environment).load(network),
  };
}

class BanLoad {
  private readonly path: string;

  constructor(
    private readonly reader: BanReader,
    private readonly environment: BanEnvironment,
  ) {
    this.path = keptBansFile(environment.cache, reader.id);
  }

  async load(network: Network): Promise<Loaded> {
    const before = await readKeptBans(this.path, this.reader.origin);
    if (this.reader.place === 'away' && network === 'avoid') return this.fromKept(before);
    try {
      const read = await this.reader.read(before);
      if (read === 'not-due') return this.fromKept(before, 'not-due');
      if (read === 'unchanged') return await this.confirmed(before);
      requireSane(read, this.environment.limits, this.reader.origin);
      return await this.keeping(read, before);
    } catch (problem) {
      if (!(problem instanceof BlocklistError) || before === undefined) throw problem;
      return { ...this.fromKept(before), problem };
    }
  }

  /** Keeps what was read, with the day on which each address came and went. */
  private async keeping(read: BansRead, before: KnownBans | undefined): Promise<Loaded> {
    const { bans, validators = {}, rejected, samples, leftOut, problem } = read;
    // A host whose clock is ahead does not make its bans younger than they are.
    const date = Math.min(read.date, this.environment.now());
    const loaded = this.loaded(bans, date, 'fresh');
    const earlier = before && inForce(before.bans, before.date).set;
    const isNew = earlier !== undefined && !earlier.equals(loaded.set);
    if (isNew) {
      const seen = new SeenFile(join(this.environment.seen, this.reader.id));
      await seen.advance({ set: earlier, at: before?.date ?? date }, { set: loaded.set, at: date });
    }
    await this.keep(bans, date, validators);
    return {
      ...loaded,
      counts: { ...loaded.counts, rejected, samples, ...(leftOut && { leftOut }) },
      ...(isNew ? { before: earlier } : {}),
      ...(problem === undefined ? {} : { problem }),
    };
  }

  private keep(bans: readonly Ban[], date: number, { etag, lastModified }: Validators): Promise<void> {
    return writeKeptBans(this.path, { origin: this.reader.origin, date, etag, lastModified, bans });
  }

  private async confirmed(before: KnownBans | undefined): Promise<Loaded> {
    if (before === undefined) throw nothingKept(this.reader.origin);
    const date = this.environment.now();
    await this.keep(before.bans, date, before);
    return this.loaded(before.bans, date, 'unchanged');
  }

  private fromKept(before: KnownBans | undefined, state: 'kept' | 'not-due' = 'kept'): Loaded {
    if (before === undefined) throw nothingKept(this.reader.origin);
    return this.loaded(before.bans, before.date, state);
  }

  private loaded(bans: readonly Ban[], date: number, state: Loaded['state']): Loaded {
    const { id } = this.reader;
    const { set, nodes, count } = inForce(bans, this.environment.now());
    const counts = { entries: count, rejected: 0, hostBits: 0, samples: [] };
    return { id, kind: 'bans', direction: 'in', set, nodes, counts, date, state, ...this.staleness(date) };
  }

  /** Bans that nobody could confirm for long are over one by one; that somebody should look at it is told before. */
  private staleness(date: number): Pick<Loaded, 'problem'> {
    const { now, limits } = this.environment;
    if (now() - date <= limits.maxAgeMs) return {};
    const days = Math.floor((now() - date) / 86_400_000);
    return {
      problem: new BlocklistError('source-stale', `its bans are ${days} days old`, {
        where: this.reader.origin,
        hint: 'see why nobody writes new ones, or take the source out of the configuration',
      }),
    };
  }
}

/** @throws BlocklistError `source-rejects`, `source-too-wide` */
function requireSane(read: BansRead, limits: BanLimits, where: string): void {
  const { bans, written = bans.length, rejected, samples } = read;
  const all = written + rejected;
  if (rejected / Math.max(1, all) > limits.maxRejects) {
    const [first] = samples;
    const example = first === undefined ? '' : `, the first in line ${first.line}: ${first.reason}`;
    throw new BlocklistError('source-rejects', `${rejected} of ${all} bans are unreadable${example}`, {
      where,
      hint: 'see what wrote them (of fail2ban name the jails that ban addresses: sources.fail2ban.jails), or raise guards.max-rejects',
    });
  }
  for (const { prefix } of bans) {
    const isV4 = prefix.family.version === 4;
    const limit = isV4 ? limits.maxPrefixV4 : limits.maxPrefixV6;
    if (prefix.length >= limit) continue;
    throw new BlocklistError('source-too-wide', `it bans a /${prefix.length}, wider than the /${limit} allowed`, {
      where,
      hint: `take that ban back; if it is meant, lower guards.max-prefix-${isV4 ? 'v4' : 'v6'}`,
    });
  }
}

function nothingKept(where: string): BlocklistError {
  return new BlocklistError('source-never-fetched', 'its bans were never read on this host', {
    where,
    hint: 'run: blocklist update',
  });
}
