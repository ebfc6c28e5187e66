import { z } from 'zod';
import type { Scope } from '../../config/crowdsec-schema.js';
import { BlocklistError } from '../../errors.js';
import { parseJson } from '../../io/json.js';
import type { Prefix, RejectedLine, RejectReason } from '../../ip/index.js';
import { parseGoDuration } from './go-duration.js';
import { prefixOf } from './prefix-of.js';

/**
 * The answer of `GET /v1/decisions/stream` (CrowdSec's pkg/models/localapi_swagger.yaml, DecisionsStreamResponse). Lists without an entry
 * are null; `deleted` is what is over, and with startup=true nothing that `new` has.
 */
const answerSchema = z.object({ new: z.array(z.unknown()).nullable() });
const decisionSchema = z.object({
  scope: z.string(),
  value: z.string(),
  type: z.string(),
  duration: z.string(),
  origin: z.string(),
  scenario: z.string(),
  simulated: z.boolean().nullish(),
});
type Decision = z.output<typeof decisionSchema>;

/** Which decisions are wanted. */
export interface Wanted {
  readonly scopes: readonly Scope[];
  /** `crowdsec`, `lists:NAME`; undefined: all of them */
  readonly origins?: readonly string[] | undefined;
  /** scenario of what this host pushed */
  readonly own: string;
}

/** A decision about an address, a network, or what has many of them. */
export interface WantedDecision {
  readonly target:
    | { readonly scope: 'ip' | 'range'; readonly prefix: Prefix }
    | { readonly scope: 'country' | 'as'; readonly key: string };
  /** milliseconds since 1970 */
  readonly until: number;
  readonly origin: string;
  readonly scenario: string;
}

/** Why a decision that is well written does not block here. */
export type LeftOut =
  | 'not of type ban'
  | 'simulated'
  | 'pushed by this host'
  | 'of another scope'
  | 'of another origin';

export interface DecisionsRead {
  readonly decisions: readonly WantedDecision[];
  readonly rejected: number;
  /** `line` is the place in the list `new` */
  readonly samples: readonly RejectedLine[];
  readonly leftOut: ReadonlyMap<LeftOut, number>;
}

const SAMPLES = 5;

/**
 * Decisions that cannot be read are counted, with the first five as samples.
 * @param at when the answer came: its durations count from there
 * @throws BlocklistError `source-format` when it is no such answer as a whole
 */
export function readDecisions(bytes: Buffer, where: string, wanted: Wanted, at: number): DecisionsRead {
  const decisions: WantedDecision[] = [];
  const samples: RejectedLine[] = [];
  const leftOut = new Map<LeftOut, number>();
  let rejected = 0;
  for (const [i, value] of answerOf(bytes, where).entries()) {
    const read = decisionOf(value, wanted, at);
    if (read.kind === 'wanted') decisions.push(read.decision);
    else if (read.kind === 'left out') leftOut.set(read.why, (leftOut.get(read.why) ?? 0) + 1);
    else {
      rejected++;
      const text = JSON.stringify(value).slice(0, 80);
      if (samples.length < SAMPLES) samples.push({ line: i + 1, text, reason: read.reason });
    }
  }
  return { decisions, rejected, samples, leftOut };
}

function answerOf(bytes: Buffer, where: string): readonly unknown[] {
  const answer = answerSchema.safeParse(parseJson(bytes.toString('utf8'))).data;
  if (answer !== undefined) return answer.new ?? [];
  throw new BlocklistError('source-format', 'this is no list of decisions: half of an answer, or not from CrowdSec', {
    where,
    hint: 'check sources.crowdsec.url: cscli lapi status names the address of the local API',
  });
}

type Read =
  | { readonly kind: 'wanted'; readonly decision: WantedDecision }
  | { readonly kind: 'left out'; readonly why: LeftOut }
  | { readonly kind: 'reject'; readonly reason: RejectReason };

function decisionOf(value: unknown, wanted: Wanted, at: number): Read {
  const decision = decisionSchema.safeParse(value).data;
  if (decision === undefined) return { kind: 'reject', reason: 'missing field' };
  const scope = decision.scope.toLowerCase();
  const why = leftOutAs(decision, scope, wanted);
  if (why !== undefined) return { kind: 'left out', why };
  const target = targetOf(scope as Scope, decision.value);
  if (target === undefined) return { kind: 'reject', reason: 'not an address' };
  const ms = parseGoDuration(decision.duration);
  if (ms === undefined) return { kind: 'reject', reason: 'bad count' };
  const { origin, scenario } = decision;
  return { kind: 'wanted', decision: { target, until: Math.round(at + ms), origin, scenario } };
}

function leftOutAs(decision: Decision, scope: string, { scopes, origins, own }: Wanted): LeftOut | undefined {
  if (decision.type.toLowerCase() !== 'ban') return 'not of type ban';
  if (decision.simulated === true) return 'simulated';
  if (decision.scenario === own) return 'pushed by this host';
  if (!scopes.some((each) => each === scope)) return 'of another scope';
  if (origins !== undefined && !origins.some((origin) => isFrom(decision, origin))) return 'of another origin';
  return undefined;
}

/** CrowdSec calls subscribed lists `lists` and puts their name into the scenario; its bouncers write `lists:NAME`. */
function isFrom({ origin, scenario }: Decision, wanted: string): boolean {
  return origin === wanted || `${origin}:${scenario}` === wanted;
}

function targetOf(scope: Scope, value: string): WantedDecision['target'] | undefined {
  if (scope === 'country') return /^[a-z]{2}$/i.test(value) ? { scope, key: value.toLowerCase() } : undefined;
  if (scope === 'as') {
    const [, digits] = /^(?:AS)?(\d{1,10})$/i.exec(value) ?? [];
    const number = Number(digits);
    return number >= 1 && number < 2 ** 32 ? { scope, key: String(number) } : undefined;
  }
  const prefix = prefixOf(value);
  return prefix === undefined ? undefined : { scope, prefix };
}
