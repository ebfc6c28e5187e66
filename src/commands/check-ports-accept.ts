import { type Baseline, idOf, readBaseline, writeBaseline } from '../check/baseline.js';
import type { GatheredPorts } from '../check/port-facts.js';
import { type Judged, judgePorts } from '../check/ports.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { withLock } from '../io/lock.js';
import { authorOf } from './author.js';
import { findingLines, keyText } from './check-ports-tell.js';
import { type Context, commandLine, type GlobalOptions, say } from './context.js';

/**
 * Takes what can be reached from outside now as what is wanted, in place of what was accepted before. Who runs from where no program belongs is not
 * accepted, and stays a finding.
 * @throws BlocklistError `no-permission` when not every owner is seen; nothing is then written
 */
export async function accept(
  state: string,
  look: () => Promise<GatheredPorts>,
  options: GlobalOptions,
  context: Context,
): Promise<ExitStatus> {
  return withLock(state, async () => {
    const before = await readBaseline(state);
    const facts = { ...(await look()), baseline: before };
    if (facts.coverage === 'incomplete') {
      throw new BlocklistError('no-permission', 'who listens is not seen in full; nothing was accepted', {
        hint: `sudo ${commandLine(context, options, 'check ports --accept')}`,
      });
    }
    const { doors } = judgePorts(facts);
    const outside = doors.filter(({ key }) => key.scope !== 'loopback');
    const wanted = outside.filter((door) => !isSuspicious(door));
    const baseline = { at: context.now(), by: authorOf(context), listeners: wanted.map(({ key }) => key) };
    await writeBaseline(state, baseline);
    return tell(before, baseline, outside.filter(isSuspicious), options, context);
  });
}

function isSuspicious({ finding }: Judged): boolean {
  return finding?.severity === 'high';
}

function tell(
  before: Baseline | undefined,
  after: Baseline,
  refused: readonly Judged[],
  options: GlobalOptions,
  context: Context,
): ExitStatus {
  const [was, is] = [before?.listeners ?? [], after.listeners].map((keys) => new Set(keys.map(idOf)));
  const added = after.listeners.filter((key) => was?.has(idOf(key)) === false);
  const removed = (before?.listeners ?? []).filter((key) => is?.has(idOf(key)) === false);
  const findings = refused.flatMap(({ finding }) => finding ?? []);
  if (options.json === true) {
    const data = { accepted: after.listeners, added, removed, findings };
    context.stdout.write(`${JSON.stringify({ schema: 'blocklist/check-ports-accept', version: 1, ...data })}\n`);
  } else {
    for (const key of added) context.stdout.write(`accepted: ${keyText(key)}\n`);
    for (const key of removed) context.stdout.write(`no longer accepted: ${keyText(key)}\n`);
    if (findings.length > 0) context.stdout.write(`NOT accepted:\n${findingLines(findings)}`);
    say(context, options, `accepted in all: ${after.listeners.length}, new among them: ${added.length}`);
  }
  return findings.length > 0 ? ExitStatus.differs : ExitStatus.done;
}
