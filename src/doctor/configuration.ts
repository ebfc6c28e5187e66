import { FAIL2BAN } from '../config/fail2ban-schema.js';
import type { Config } from '../config/load.js';
import { BlocklistError } from '../errors.js';
import { invokingSshSession } from '../host/ssh.js';
import { formatPrefix, IpSet, type Prefix } from '../ip/index.js';
import { type Bench, examination, type Finding, good, type Host, told } from './contract.js';
import { attempt, isThere } from './look.js';

export interface ConfigurationFacts {
  readonly config: Config | BlocklistError;
  readonly isNamed: boolean;
  /** what is wrong with the sources that it names */
  readonly sources: BlocklistError | undefined;
  /** files that it names and that are not there */
  readonly missing: readonly string[];
  /** the database of fail2ban that it needs and that is not there */
  readonly fail2ban?: string | undefined;
  /** the other end of the SSH session that this runs in */
  readonly caller: Prefix | undefined;
}

async function gather({ config, isConfigNamed, sources, env }: Host): Promise<ConfigurationFacts> {
  const named = config instanceof BlocklistError ? [] : namedFiles(config);
  const there = await Promise.all(named.map((path) => isThere('/', path)));
  // Without ss nobody can tell; that is another examination's finding.
  const session = await attempt(() => invokingSshSession(env));
  const database = config instanceof BlocklistError ? undefined : databaseOf(config);
  return {
    config,
    fail2ban: database !== undefined && !(await isThere('/', database)) ? database : undefined,
    isNamed: isConfigNamed,
    sources,
    missing: named.filter((_, i) => !there[i]),
    caller: session instanceof BlocklistError ? undefined : session?.peer.address,
  };
}

/** A server that is asked by its socket may go without a database. */
function databaseOf({ sources: { fail2ban } }: Config): string | undefined {
  if (fail2ban === undefined || fail2ban.socket !== undefined) return undefined;
  return fail2ban.database ?? FAIL2BAN.database;
}

function namedFiles({ sources, allow, geo }: Config): string[] {
  return [
    ...sources.custom.flatMap((entry) => ('file' in entry ? [entry.file] : [])),
    ...allow.files,
    ...[...(geo.country ?? []), ...(geo.asn ?? [])].flatMap((entry) => ('file' in entry ? [entry.file] : [])),
  ];
}

export function judgeConfiguration(facts: ConfigurationFacts, { line }: Bench): Finding[] {
  const { config, isNamed, sources, missing, caller } = facts;
  if (config instanceof BlocklistError) return broken(config, isNamed, line);
  const found = [
    ...(sources === undefined ? [] : [fault(sources)]),
    ...missing.map((path) =>
      told(
        'config-files',
        'problem',
        `${path} is named and not there`,
        `make it, or take it out of ${config.file}`,
        path,
      ),
    ),
    ...(facts.fail2ban === undefined ? [] : [noFail2ban(facts.fail2ban, config)]),
    ...judgeAdmins(config, caller),
  ];
  return sources === undefined ? [good('config', `${config.file} is right`, config.file), ...found] : found;
}

function noFail2ban(path: string, { file }: Config): Finding {
  const fix = `name dbfile of fail2ban.conf in ${file}: fail2ban: {database: PATH}; or take fail2ban out of it`;
  return told('fail2ban', 'problem', `there is no database of fail2ban at ${path}`, fix, path);
}

function broken(error: BlocklistError, isNamed: boolean, line: Bench['line']): Finding[] {
  if (error.code === 'config-missing' && !isNamed)
    return [told('config', 'note', error.message, `make one: ${line('init')}; or name one with --config FILE`)];
  return error.message.split('\n').map((message) => fault(error, message));
}

/** Messages begin with `file:line:`, each with its own. */
function fault(error: BlocklistError, message = error.message): Finding {
  const where = /^(\S+:\d+): /.exec(message)?.[1] ?? error.where;
  const state = error.code === 'file-unreadable' ? 'unknown' : 'problem';
  return told('config', state, message, error.hint ?? 'mend it', where);
}

function judgeAdmins({ local, file }: Config, caller: Prefix | undefined): Finding[] {
  if (caller === undefined || IpSet.from(local.admins).has(caller)) return [];
  const text = formatPrefix(caller);
  const what = local.admins.length === 0 ? 'local.admins is empty' : 'local.admins does not hold your address';
  const fix = `if ${text} is yours for good, add it to ${file}: local: {admins: ["${text}"]}`;
  return [
    told('admins', 'note', `${what}; you are logged in from ${text}, which only this session protects`, fix, file),
  ];
}

export const configuration = examination('config', { gather, judge: judgeConfiguration });
