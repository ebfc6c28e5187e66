import type { Ended } from '../apply/sessions.js';
import type { Socket } from '../host/sockets.js';
import { escapeText } from '../io/escape.js';
import { grouped } from '../io/figures.js';
import { formatPrefix } from '../ip/index.js';
import type { Cut } from '../respond/cut.js';
import { LOCKDOWN_EMERGENCY, type Lockdown } from '../respond/lockdown.js';
import type { Obstacle } from '../respond/obstacles.js';
import type { Standing } from '../respond/standing.js';
import { type Context, commandLine, type GlobalOptions, say } from './context.js';
import { lockdownJson, lockdownWords } from './lockdown-words.js';

/** A lockdown with what is known before it stands. */
export interface LockdownPlan {
  readonly lockdown: Lockdown;
  readonly before: Standing | undefined;
  readonly cut: Cut;
  readonly obstacles: readonly Obstacle[];
  readonly isCallerKnown: boolean;
}

/** Of connections that only starve, so many are named. */
const MOST_NAMED = 20;

export function sayPlan(plan: LockdownPlan, options: GlobalOptions & { dryRun?: boolean }, context: Context): void {
  const { lockdown, before, cut, isCallerKnown } = plan;
  say(context, options, `would begin: ${lockdownWords(lockdown, context)}`);
  if (before !== undefined) say(context, options, `would replace: ${lockdownWords(before, context)}`);
  for (const socket of cut.ssh) say(context, options, `would end, an SSH SESSION: ${connectionWords(socket)}`);
  if (!isCallerKnown && cut.ssh.length > 0) {
    say(
      context,
      options,
      'whether one of them is yours is not known: you did not come through SSH, as far as can be seen',
    );
  }
  sayCut(cut, 'would be cut off by the rules', options, context);
  sayObstacles(plan, options, context);
  if (options.dryRun === true) say(context, options, 'dry run: nothing was changed');
}

export function sayDone(
  { lockdown, before, cut }: LockdownPlan,
  ended: Omit<Ended, 'ssh'>,
  options: GlobalOptions,
  context: Context,
): void {
  // Also for those who asked for silence: somebody was logged in from there.
  const voice = { ...options, quiet: false };
  const instead = before === undefined ? '' : ', in place of the one that stood';
  say(context, options, `${lockdownWords(lockdown, context)}${instead}`);
  for (const socket of ended.closed) say(context, voice, `ended, an SSH SESSION: ${connectionWords(socket)}`);
  for (const socket of ended.refused) {
    say(context, voice, `cannot end, but nothing of it passes: ${connectionWords(socket)}`);
  }
  if (ended.problem !== undefined) {
    say(context, voice, `sessions were not all ended: ${ended.problem.message}; nothing of them passes`);
  }
  sayCut(cut, 'cut off by the rules', options, context);
  say(context, options, `to open the host again: ${commandLine(context, options, 'lockdown off')}`);
  say(context, options, `without this program: ${LOCKDOWN_EMERGENCY}`);
}

function sayCut({ others, inside }: Cut, what: string, options: GlobalOptions, context: Context): void {
  for (const socket of others.slice(0, MOST_NAMED)) say(context, options, `${what}: ${connectionWords(socket)}`);
  const more = others.length - MOST_NAMED;
  if (more > 0) say(context, options, `${what}: ${grouped(more)} more connections`);
  for (const socket of inside) {
    say(context, options, `STAYS, an SSH session through a tunnel to this host itself: ${connectionWords(socket)}`);
  }
}

export function sayObstacles({ obstacles }: LockdownPlan, options: GlobalOptions, context: Context): void {
  for (const each of obstacles) say(context, options, `but: ${obstacleWords(each, options, context)}`);
}

function obstacleWords(obstacle: Obstacle, options: GlobalOptions, context: Context): string {
  if (obstacle.kind === 'firewall') return `${obstacle.name} judges as well: what it drops, it goes on dropping`;
  if (obstacle.kind === 'policy') {
    const chain = escapeText(obstacle.chain, 100);
    return `chain ${chain} drops what its rules do not accept; whether they accept SSH: nft list chain ${chain}`;
  }
  const address = formatPrefix(obstacle.address);
  if (obstacle.kind === 'tunnel') {
    const { device, carrier } = obstacle;
    const words = `${address} comes through ${escapeText(device, 20)} (${carrier})`;
    return `${words}: what carries that tunnel is dropped unless this host began it; allow an address outside of it`;
  }
  const how = obstacle.set.startsWith('only') ? 'is not in' : 'is in';
  const line = commandLine(context, options, `allow ${address}`);
  return `${address} ${how} set ${obstacle.set} of table inet blocklist, which drops it all the same; to let it through: ${line}`;
}

function connectionWords({ protocol, local, peer, processes }: Socket): string {
  const who = processes.map(({ name, pid }) => `${escapeText(name, 40)} (${pid})`).join(', ') || 'no process seen';
  return `${protocol} ${peer.text} with ${local.text}, ${who}`;
}

/** @param ended undefined: nothing was done, as for a dry run */
export function printJson(
  { lockdown, before, cut, obstacles }: LockdownPlan,
  ended: Omit<Ended, 'ssh'> | undefined,
  context: Context,
): void {
  const data = {
    schema: 'blocklist/lockdown',
    version: 1,
    dryRun: ended === undefined,
    ...lockdownJson(lockdown, context),
    replaces: before === undefined ? null : lockdownJson(before, context),
    sessions: (ended?.closed ?? cut.ssh).map(connectionJson),
    refused: (ended?.refused ?? []).map(connectionJson),
    cut: cut.others.map(connectionJson),
    inside: cut.inside.map(connectionJson),
    flows: ended?.flows ?? 0,
    problem: ended?.problem?.message ?? null,
    warnings: obstacles.map((each) => ('address' in each ? { ...each, address: formatPrefix(each.address) } : each)),
    emergency: LOCKDOWN_EMERGENCY,
  };
  context.stdout.write(`${JSON.stringify(data)}\n`);
}

function connectionJson({ protocol, local, peer, processes }: Socket) {
  return {
    protocol,
    peer: peer.text,
    local: local.text,
    port: local.port,
    processes: processes.map(({ name, pid }) => ({ name, pid })),
  };
}
