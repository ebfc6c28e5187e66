import { driftWords, EMERGENCY } from '../apply/apply.js';
import { isNodes, type Plan, type SetChange } from '../apply/plan.js';
import { cutConnections } from '../apply/sessions.js';
import { type BlocklistError, ExitStatus } from '../errors.js';
import type { Socket } from '../host/sockets.js';
import { escapeText } from '../io/escape.js';
import { grouped } from '../io/figures.js';
import { countAddresses } from '../ip/index.js';
import { doubtsOf } from './allowed.js';
import { type Context, commandLine, type GlobalOptions, say } from './context.js';
import type { Done, HowToLoad, Work } from './loading.js';
import type { Project } from './project.js';
import { namesOf } from './provenance.js';

/** What an apply would do, in words or as data. */
export async function tellPlan(work: Work, project: Project, options: GlobalOptions, context: Context): Promise<void> {
  const cut = await explained(await cutConnections(work.isDropped, work.skipped), project, options, context);
  if (options.json === true) return printJson(work, cut, {}, context);
  say(context, options, planWords(work));
  for (const line of cut) say(context, options, `would end: ${connectionWords(line)}`);
  say(context, options, 'dry run: nothing was changed');
}

/** What an apply did. */
export async function tellDone(
  work: Work,
  done: Done,
  { confirmMs, check }: HowToLoad,
  project: Project,
  options: GlobalOptions & { readonly ref?: string },
  context: Context,
): Promise<ExitStatus> {
  const { problem } = done.ended;
  // Bans may hold whom the list should protect; the nightly build, which refuses such a list, need not be on this host.
  const doubts = doubtsOf(work.local.configured);
  const status = problem === undefined && doubts.length === 0 ? ExitStatus.done : ExitStatus.incomplete;
  const closed = await explained(done.ended.closed, project, options, context);
  const refused = await explained(done.ended.refused, project, options, context);
  if (options.json === true) {
    const mended = done.mended === undefined ? null : driftWords(done.mended);
    const more = {
      done: done.loaded,
      mended,
      flows: done.ended.flows,
      problem: [...(problem ? [problem.message] : []), ...doubts].join('; ') || null,
    };
    printJson(work, closed, more, context);
    return status;
  }
  // News also for those who asked for silence: somebody else changed the rules.
  const voice = { ...options, quiet: false };
  if (work.isGone) say(context, voice, 'mended: the table was gone');
  if (done.mended !== undefined) {
    say(context, voice, `mended: the kernel differed from what was loaded: ${driftWords(done.mended)}`);
  }
  say(context, options, doneWords(work, done, check));
  for (const line of closed) {
    // Also for those who asked for silence: somebody was logged in from there.
    const isSsh = done.ended.ssh.includes(line.socket);
    say(context, isSsh ? voice : options, `ended${isSsh ? ', an SSH SESSION' : ''}: ${connectionWords(line)}`);
  }
  if (problem !== undefined) say(context, voice, notEnded(problem));
  for (const words of doubts) say(context, options, escapeText(words, 400));
  for (const line of refused) say(context, options, `cannot end, but nothing of it passes: ${connectionWords(line)}`);
  if (confirmMs !== undefined && done.loaded !== 'nothing') {
    say(context, options, `goes back in ${confirmMs / 1000} s unless: ${commandLine(context, options, 'confirm')}`);
  } else {
    say(context, options, `in an emergency: ${EMERGENCY}`);
    say(
      context,
      options,
      `next: ${commandLine(context, options, options.ref === undefined ? 'status' : `status --ref ${options.ref}`)}`,
    );
  }
  return status;
}

/** The load holds; what it should have ended beside may go on starving. */
export function notEnded({ message }: BlocklistError): string {
  return `connections were not all ended: ${message}; nothing of them passes`;
}

/** `rules (nodes4 9,423, nets4 20,217)` */
function artefactWords({ artefact, title }: Work): string {
  const sizes = Object.entries(artefact.manifest.sets)
    .filter(([, { prefixes }]) => prefixes > 0)
    .map(([name, { prefixes }]) => `${name} ${grouped(prefixes)}`);
  return `${title} (${sizes.join(', ')})`;
}

function planWords(work: Work): string {
  const { plan, situation } = work;
  const what = artefactWords(work);
  if (plan.kind === 'nothing') return `nothing to do: ${what} is loaded`;
  if (situation.live === undefined) return `would load ${what}; nothing of ours is loaded now`;
  const changes = plan.changes === undefined ? '' : `\n${changeLines(plan.changes).join('\n')}`;
  if (plan.kind === 'full') return `would flush and refill everything with ${what}: ${plan.why}${changes}`;
  return `would change what is loaded to ${what}:${changes}\n${deltaWords(plan)}`;
}

/** `  nodes4  +1,204 -988 prefixes` */
function changeLines(changes: readonly SetChange[]): string[] {
  return changes.map(
    ({ name, added, removed }) => `  ${name} +${grouped(added.size)} -${grouped(removed.size)} prefixes`,
  );
}

function deltaWords({ changes, transactions }: Extract<Plan, { kind: 'delta' }>): string {
  const sum = (pick: (change: SetChange) => number) =>
    changes.filter(({ name }) => isNodes(name)).reduce((total, change) => total + pick(change), 0);
  const nets = changes.map(({ name }) => name).filter((name) => !isNodes(name));
  const [added, removed] = [sum((change) => change.added.size), sum((change) => change.removed.size)];
  const first = [
    ...(added > 0 ? [`adds ${nodes(added)}`] : []),
    ...(nets.length > 0 ? [`refills ${nets.join(' and ')}`] : []),
  ];
  const steps = [
    ...(first.length > 0 ? [first.join(', ')] : []),
    ...(removed > 0 ? [`deletes ${nodes(removed)}`] : []),
  ];
  return transactions === 1
    ? `in one transaction: ${steps.join(', ')}`
    : `in two transactions: ${steps.join('; then ')}`;
}

function nodes(count: number): string {
  return `${grouped(count)} node${count === 1 ? '' : 's'}`;
}

function doneWords(work: Work, { loaded }: Done, check: HowToLoad['check']): string {
  const what = artefactWords(work);
  const verdict = check === 'none' ? 'not read back' : 'read back: the kernel holds exactly this';
  if (loaded === 'nothing') return `nothing to do: ${what} is loaded; ${verdict}`;
  const how = {
    delta: 'loaded the changes to',
    full: 'loaded',
    staged: 'filled new sets beside the old ones and turned the rules to',
  };
  return `${how[loaded]} ${what}; ${verdict}`;
}

/** A connection with who lists its peer. */
export interface Explained {
  readonly socket: Socket;
  readonly sources: readonly string[];
}

/** Who lists their peers. */
export async function explained(
  connections: readonly Socket[],
  project: Project,
  options: GlobalOptions,
  context: Context,
): Promise<Explained[]> {
  const peers = connections.map(({ peer }) => peer.address);
  const names = await namesOf(peers, project, options, context);
  return connections.map((socket, i) => ({ socket, sources: names[i] ?? [] }));
}

/** `tcp 45.9.20.7:50122 with 192.0.2.10:22, sshd (812), listed by drop` */
export function connectionWords({ socket, sources }: Explained): string {
  const { protocol, local, peer, processes } = socket;
  const who = processes.map(({ name, pid }) => `${escapeText(name, 40)} (${pid})`).join(', ') || 'no process seen';
  const by = sources.length === 0 ? '' : `, listed by ${sources.join(', ')}`;
  return `${protocol} ${peer.text} with ${local.text}, ${who}${by}`;
}

function printJson(
  { artefact, title, situation, plan }: Work,
  cut: readonly Explained[],
  more: object,
  context: Context,
): void {
  const changes = plan.kind === 'nothing' ? [] : (plan.changes ?? []);
  const data = {
    schema: 'blocklist/apply',
    version: 1,
    rules: title,
    plan: plan.kind,
    why: plan.kind === 'full' ? plan.why : null,
    digest: artefact.digest,
    loaded: situation.live?.digest ?? null,
    sets: changes.map(({ name, added, removed }) => ({
      name,
      add: { prefixes: added.size, addresses: String(countAddresses(added)) },
      remove: { prefixes: removed.size, addresses: String(countAddresses(removed)) },
    })),
    connections: cut.map(({ socket: { protocol, local, peer, processes }, sources }) => ({
      protocol,
      peer: peer.text,
      local: local.text,
      port: local.port,
      processes: processes.map(({ name, pid }) => ({ name, pid })),
      sources,
    })),
    ...more,
    emergency: EMERGENCY,
  };
  context.stdout.write(`${JSON.stringify(data)}\n`);
}
