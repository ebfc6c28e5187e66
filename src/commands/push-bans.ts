import { hostname } from 'node:os';
import { BlocklistError } from '../errors.js';
import type { Loaded } from '../sources/contract.js';
import { type Context, type GlobalOptions, say } from './context.js';
import { type Gathered, type GatherOptions, networkOf } from './gather.js';
import type { Project } from './project.js';

const ID = 'crowdsec';

/** For all requests of one push: the night must not hang on it. */
const DEADLINE_MS = 60_000;

/**
 * Sends the bans that were made on this host to CrowdSec, where the configuration says so. It happens with `update`, whose user has the
 * network, and not with `ban`, which must not wait for a server.
 * @returns what went wrong: no reason to do without the lists of the night
 */
export async function pushBansOf(
  project: Project,
  how: GatherOptions,
  options: GlobalOptions,
  context: Context,
): Promise<BlocklistError | undefined> {
  const file = project.config.sources.crowdsec?.push?.['credentials-file'];
  if (file === undefined || networkOf(how, ID) === 'avoid') return undefined;
  try {
    await push(file, project, options, context);
    return undefined;
  } catch (problem) {
    if (!(problem instanceof BlocklistError)) throw problem;
    return worded(problem, `bans were not pushed to CrowdSec: ${problem.message}`);
  }
}

/** Makes what went wrong a problem of the source. When CrowdSec did not answer at all, that is told already. */
export function withPushProblem(gathered: Gathered, problem: BlocklistError | undefined): Gathered {
  if (problem === undefined) return gathered;
  const told = (source: Loaded) =>
    source.id === ID && source.state !== 'kept' ? withProblem(source, problem) : source;
  return { ...gathered, block: gathered.block.map(told) };
}

async function push(file: string, project: Project, options: GlobalOptions, context: Context): Promise<void> {
  // Only who pushes pays for it.
  const [{ bansToPush }, { readCredentials }, { pushBans }, { scenarioOf }, { HttpClient }] = await Promise.all([
    import('./bans-to-push.js'),
    import('../sources/bans/crowdsec-credentials.js'),
    import('../sources/bans/crowdsec-push.js'),
    import('../sources/bans/crowdsec-scenario.js'),
    import('../io/http.js'),
  ]);
  const bans = await bansToPush(project, context);
  const credentials = await readCredentials(file);
  // Without fetch.contact: a name with more than one slash in it is refused at a login (CrowdSec 1.4).
  const http = new HttpClient(`blocklist/${context.version}`, context.env);
  try {
    const { added, deleted } = await pushBans(bans, credentials, {
      http,
      now: context.now,
      scenario: scenarioOf(hostname()),
      deadlineMs: Math.min(DEADLINE_MS, project.config.fetch.deadline),
    });
    if (added + deleted > 0) say(context, options, `bans pushed to CrowdSec: ${added} added, ${deleted} taken back`);
  } finally {
    await http.close();
  }
}

/** A source has one problem: the new one, which says what the other was. */
function withProblem(source: Loaded, problem: BlocklistError): Loaded {
  if (source.problem === undefined) return { ...source, problem };
  return { ...source, problem: worded(problem, `${problem.message}; ${source.problem.message}`) };
}

function worded(problem: BlocklistError, message: string): BlocklistError {
  const { code, where, hint } = problem;
  return new BlocklistError(code, message, { ...(where && { where }), ...(hint && { hint }), cause: problem });
}
