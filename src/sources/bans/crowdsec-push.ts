import { z } from 'zod';
import { BlocklistError } from '../../errors.js';
import type { HttpClient, SendOptions } from '../../io/http.js';
import { HttpFailure } from '../../io/http-failure.js';
import { parseJson } from '../../io/json.js';
import { formatPrefix } from '../../ip/index.js';
import type { Ban } from './contract.js';
import { alertOf, endThere, isSameEnd } from './crowdsec-alert.js';
import type { Credentials } from './crowdsec-credentials.js';
import { parseGoDuration } from './go-duration.js';

/** What a push did. */
export interface Pushed {
  readonly added: number;
  readonly deleted: number;
}

export interface PushEnvironment {
  readonly http: Pick<HttpClient, 'send'>;
  readonly now: () => number;
  /** by which decisions of this host are known again */
  readonly scenario: string;
  /** for all of it, in milliseconds; what is not done then waits for the next time */
  readonly deadlineMs: number;
}

/** Far above any real answer; the API holds some thousand alerts. */
const CAP = 1 << 26;
/** Alerts in one request: newer versions limit its size. */
const BATCH = 100;
const TIMEOUT_MS = 20_000;
/** What ends so soon is not worth an alert. */
const SHORTEST_MS = 60_000;

/**
 * Makes CrowdSec hold exactly these bans as decisions of this host. It is asked what it has, and only the difference is sent: that mends what was
 * lost on the way, there or by CrowdSec's flush, which until version 1.8 took living decisions with old alerts; nothing is remembered here.
 * @throws BlocklistError `http-failed`, `source-format`; what was done until then stays, and the next push goes on.
 */
export async function pushBans(
  bans: readonly Ban[],
  credentials: Credentials,
  environment: PushEnvironment,
): Promise<Pushed> {
  return new Push(credentials, environment).run(bans);
}

const loginSchema = z.object({ token: z.string().regex(/^[\x21-\x7e]+$/) });
const alertsSchema = z
  .array(
    z.object({
      machine_id: z.string(),
      scenario: z.string(),
      decisions: z.array(z.object({ id: z.int().min(0), value: z.string(), duration: z.string() })).nullish(),
    }),
  )
  .nullable();

/** A decision of ours that is in force there. */
interface There {
  readonly id: number;
  readonly value: string;
  /** milliseconds since 1970 */
  readonly until: number;
}

class Push {
  private readonly begun = performance.now();
  private token: string | undefined;

  constructor(
    private readonly credentials: Credentials,
    private readonly environment: PushEnvironment,
  ) {}

  async run(bans: readonly Ban[]): Promise<Pushed> {
    await this.logIn();
    const there = await this.there();
    const now = this.environment.now();
    const wanted = longest(bans, now);
    const superfluous: There[] = [];
    for (const decision of there) {
      const ban = wanted.get(decision.value);
      if (ban !== undefined && isSameEnd(ban, decision.until, now)) wanted.delete(decision.value);
      else superfluous.push(decision);
    }
    // First what is added: a ban that only got another end is never open in between.
    const added = [...wanted.values()];
    for (let i = 0; i < added.length; i += BATCH) await this.add(added.slice(i, i + BATCH), now);
    let refusal: BlocklistError | undefined;
    for (const { id } of superfluous) refusal = (await this.takeBack(id)) ?? refusal;
    if (refusal !== undefined) throw refusal;
    return { added: added.length, deleted: superfluous.length };
  }

  private async logIn(): Promise<void> {
    const { login, password } = this.credentials;
    const answer = await this.send('POST', 'watchers/login', { machine_id: login, password, scenarios: [] });
    const read = loginSchema.safeParse(answer).data;
    if (read === undefined) throw this.notCrowdsec('watchers/login');
    this.token = read.token;
  }

  /** What another machine pushed under the same scenario is not ours to take back. */
  private async there(): Promise<readonly There[]> {
    const { scenario, now } = this.environment;
    const query = `alerts?scenario=${encodeURIComponent(scenario)}&has_active_decision=true&limit=0`;
    const read = alertsSchema.safeParse(await this.send('GET', query));
    if (!read.success) throw this.notCrowdsec('alerts');
    const at = now();
    const endOf = (duration: string) => {
      const left = parseGoDuration(duration);
      // Taken for over it would be sent anew with every push.
      if (left === undefined) throw this.notCrowdsec('alerts');
      return at + left;
    };
    return (read.data ?? [])
      .filter((alert) => alert.machine_id === this.credentials.login && alert.scenario === scenario)
      .flatMap(({ decisions }) => decisions ?? [])
      .map(({ id, value, duration }) => ({ id, value, until: endOf(duration) }))
      .filter(({ until }) => until > at);
  }

  private async add(bans: readonly Ban[], now: number): Promise<void> {
    const { scenario } = this.environment;
    await this.send(
      'POST',
      'alerts',
      bans.map((ban) => alertOf(ban, scenario, now)),
    );
  }

  /** @returns the refusal of this one alone: so CrowdSec answers for a decision that went away meanwhile, too. The next push sees what is left. */
  private async takeBack(id: number): Promise<BlocklistError | undefined> {
    try {
      await this.send('DELETE', `decisions/${id}`);
      return undefined;
    } catch (problem) {
      const cause = problem instanceof BlocklistError ? problem.cause : undefined;
      if (problem instanceof BlocklistError && cause instanceof HttpFailure && cause.status === 500) return problem;
      throw problem;
    }
  }

  private async send(method: SendOptions['method'], path: string, value?: unknown): Promise<unknown> {
    const { http, deadlineMs } = this.environment;
    const url = `${this.credentials.url}/v1/${path}`;
    const left = deadlineMs - (performance.now() - this.begun);
    if (left <= 0) {
      throw new BlocklistError('http-failed', `not all of them within ${deadlineMs / 1000} s`, {
        where: this.credentials.url,
        hint: 'the next update goes on',
      });
    }
    const headers = {
      'content-type': 'application/json',
      ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
    };
    const body = value === undefined ? {} : { body: JSON.stringify(value) };
    const timeoutMs = Math.ceil(Math.min(TIMEOUT_MS, left));
    try {
      const answer = await http.send(url, { method, headers, maxBytes: CAP, timeoutMs, ...body });
      return parseJson(answer.toString('utf8'));
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      // A decision that somebody else deleted in the meantime is gone, which is what was wanted.
      if (method === 'DELETE' && error.status === 404) return undefined;
      throw this.notPushed(error);
    }
  }

  private notPushed(cause: HttpFailure): BlocklistError {
    return new BlocklistError('http-failed', cause.message, {
      where: this.credentials.url,
      hint: hintFor(cause),
      cause,
    });
  }

  private notCrowdsec(path: string): BlocklistError {
    return new BlocklistError('source-format', `what answers ${path} is not CrowdSec`, {
      where: this.credentials.url,
      hint: 'check the url in the file of credentials',
    });
  }
}

function hintFor({ status = 0 }: HttpFailure): string {
  if (status === 401 || status === 403) {
    return 'it does not know this machine: cscli machines list; cscli machines add blocklist --auto --file FILE';
  }
  if (status === 404 || (status >= 300 && status < 400)) return 'check the url in the file of credentials';
  return 'the next update tries again';
}

/** Of several bans of one address the one that ends last. */
function longest(bans: readonly Ban[], now: number): Map<string, Ban> {
  const found = new Map<string, Ban>();
  for (const ban of bans) {
    const value = formatPrefix(ban.prefix);
    const before = found.get(value);
    const end = endThere(ban, now);
    if (end - now < SHORTEST_MS || (before !== undefined && endThere(before, now) >= end)) continue;
    found.set(value, ban);
  }
  return found;
}
