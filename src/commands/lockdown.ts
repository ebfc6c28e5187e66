import { Nft } from '../apply/nft.js';
import { requireRight } from '../apply/right.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { isLoopback } from '../host/single.js';
import type { Socket } from '../host/sockets.js';
import { invokingSshSession, sshPorts } from '../host/ssh.js';
import { formatPrefix, IpSet } from '../ip/index.js';
import { connectionsCut, endSockets, portAsSent } from '../respond/cut.js';
import { enforce } from '../respond/enforce.js';
import type { Lockdown } from '../respond/lockdown.js';
import { obstacles } from '../respond/obstacles.js';
import { standingLockdown } from '../respond/standing.js';
import { requireYes } from './ask.js';
import { type Command, type Context, commandLine, type GlobalOptions } from './context.js';
import { printJson, sayDone, sayObstacles, sayPlan } from './lockdown-tell.js';
import { namedPrefixes } from './named-prefixes.js';
import { duringOption } from './times.js';

export interface LockdownOptions {
  readonly action?: 'off' | undefined;
  readonly allow?: readonly string[];
  readonly for?: string;
  /** where SSH is served beside where it is seen to be */
  readonly port?: readonly string[];
  readonly cutOutbound?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/**
 * Only these addresses reach SSH, nothing else comes in. The command of an emergency: it reads no configuration, writes no state and needs
 * neither; what stands is told by the kernel.
 */
export const run: Command<LockdownOptions> = async (options, context) => {
  if (options.action === 'off') {
    if ([options.allow, options.for, options.port, options.cutOutbound].some((each) => each !== undefined)) {
      throw new BlocklistError('bad-usage', 'lockdown off takes neither addresses nor times', { hint: 'see --help' });
    }
    return (await import('./lockdown-off.js')).run(options, context);
  }
  const allow = [...IpSet.from(namedPrefixes(options.allow ?? [])).prefixes()];
  if (allow.length === 0) {
    throw new BlocklistError('bad-usage', 'whom may SSH be open for?', { hint: 'name them: --allow 203.0.113.7' });
  }
  const seconds = options.for === undefined ? undefined : duringOption(options.for, '--for') / 1000;
  const named = (options.port ?? []).map(portOf);
  await requireRight();
  const caller = await invokingSshSession(context.env);
  requireAllowed(caller, IpSet.from(allow), options, context);
  const ports = await portsOf(caller, named);
  const lockdown: Lockdown = { allow, ports, seconds, cutOutbound: options.cutOutbound === true };
  return lock(new Nft(), lockdown, caller, options, context);
};

async function lock(
  nft: Nft,
  lockdown: Lockdown,
  caller: Socket | undefined,
  options: LockdownOptions & GlobalOptions,
  context: Context,
): Promise<ExitStatus> {
  const [before, cut, found] = await Promise.all([
    standingLockdown(nft),
    connectionsCut(lockdown),
    obstacles(nft, lockdown.allow),
  ]);
  const plan = { lockdown, before, cut, obstacles: found, isCallerKnown: caller !== undefined };
  if (options.dryRun === true) {
    if (options.json === true) printJson(plan, undefined, context);
    else sayPlan(plan, options, context);
    return ExitStatus.done;
  }
  if (options.yes !== true) sayPlan(plan, options, context);
  // Also for those who asked for silence: somebody may be about to lock himself out.
  else sayObstacles(plan, { ...options, quiet: false }, context);
  await requireYes('Go on? [y/N] ', options.yes, context);
  await enforce(nft, lockdown);
  // Asked again: somebody may have come in while the question stood.
  const now = await connectionsCut(lockdown);
  const ended = await endSockets(now.ssh);
  const done = { ...plan, cut: now };
  if (options.json === true) printJson(done, ended, context);
  else sayDone(done, ended, options, context);
  return ended.problem === undefined ? ExitStatus.done : ExitStatus.incomplete;
}

/** @throws BlocklistError `lockout` when who calls through SSH would be kept out, with the command that includes him */
function requireAllowed(
  caller: Socket | undefined,
  allow: IpSet,
  options: LockdownOptions & GlobalOptions,
  context: Context,
): void {
  if (caller === undefined || allow.has(caller.peer.address)) return;
  const address = formatPrefix(caller.peer.address);
  const more = [
    ...(options.for === undefined ? [] : [`--for ${options.for}`]),
    ...(options.port ?? []).map((port) => `--port ${port}`),
    ...(options.cutOutbound === true ? ['--cut-outbound'] : []),
  ];
  const line = ['lockdown --allow', address, ...(options.allow ?? []), ...more].join(' ');
  // A proxy in front of sshd would be cut off; a tunnel that this host itself began would not.
  const isInside = isLoopback(caller.peer.address);
  const advice = isInside ? 'come without that tunnel or proxy on this host; if this host itself began it: ' : '';
  throw new BlocklistError(
    'lockout',
    `your own SSH session comes from ${address}, which would be kept out; nothing was changed`,
    { where: 'lockdown --allow', hint: `${advice}${commandLine(context, options, line)}` },
  );
}

/** Where SSH is served, and where the caller's session came to: its client may have asked for another port. */
async function portsOf(caller: Socket | undefined, named: readonly number[]): Promise<number[]> {
  const asked = caller === undefined ? [] : [caller.local.port, (await portAsSent(caller)) ?? caller.local.port];
  const ports = [...new Set([...(await sshPorts()), ...asked, ...named])].sort((a, b) => a - b);
  if (ports.length > 0) return ports;
  throw new BlocklistError('ssh-missing', 'no SSH server is seen to listen on this host; nothing was changed', {
    where: 'ss -tlnp',
    hint: 'say where it does: --port 22',
  });
}

function portOf(text: string): number {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new BlocklistError('bad-usage', `--port '${text}': expected a TCP port, 1 to 65535`, { hint: 'see --help' });
}
