import { readBaseline } from '../check/baseline.js';
import { statusOf } from '../check/finding.js';
import { portFacts } from '../check/port-facts.js';
import { judgePorts, type PortFacts, type PortReview } from '../check/ports.js';
import { escapeText } from '../io/escape.js';
import { grouped, minuteText } from '../io/figures.js';
import { printPortsJson, printPortsText } from './check-ports-tell.js';
import { type Command, type Context, commandLine, type GlobalOptions, say } from './context.js';
import { stateFolder } from './project.js';

export interface CheckPortsOptions {
  /** take what listens now as what is wanted */
  readonly accept?: boolean;
}

/** Lists who listens on this host, compares with what was accepted, and names the command that closes each. Only `--accept` writes. */
export const run: Command<CheckPortsOptions> = async (options, context) => {
  const state = await stateFolder(options, context);
  const { uid, env } = context;
  const look = () => portFacts({ uid, env, line: (command) => commandLine(context, options, command) });
  if (options.accept === true) return (await import('./check-ports-accept.js')).accept(state, look, options, context);
  // Before anything is looked at: a damaged file must not look like a clean host.
  const baseline = await readBaseline(state);
  const facts = { ...(await look()), baseline };
  const review = judgePorts(facts);
  if (options.json === true) printPortsJson(review, facts, context);
  else printPortsText(review, facts, context);
  say(context, options, coverWords(review, facts, options, context));
  return statusOf(review.findings, facts.coverage);
};

/** What was looked at and compared with, and how to accept it. */
function coverWords(
  { doors }: PortReview,
  { baseline, coverage }: PortFacts,
  options: GlobalOptions,
  context: Context,
): string {
  const outside = doors.filter(({ key }) => key.scope !== 'loopback').length;
  const found = `listeners: ${grouped(doors.length)}, reachable from outside: ${grouped(outside)}`;
  const compared =
    baseline === undefined
      ? 'nothing was accepted yet'
      : `compared with what ${escapeText(baseline.by)} accepted at ${minuteText(baseline.at)}`;
  const accept = commandLine(context, options, 'check ports --accept');
  return `${found}; ${compared}${coverage === 'complete' ? `; to accept what is here now: ${accept}` : ''}`;
}
