import type { LocalContent } from '../apply/differences.js';
import { addressesOf, type LocalEntry, readLocalEntries } from '../apply/local-entries.js';
import { localContent } from '../apply/local-sets.js';
import type { Caller, Protected } from '../apply/lockout.js';
import type { Config } from '../config/load.js';
import { gateways, ownAddresses } from '../host/addresses.js';
import { resolvers } from '../host/resolvers.js';
import { invokingSshSession } from '../host/ssh.js';
import { IpSet } from '../ip/index.js';
import type { Manifest } from '../render/manifest.js';
import { type ConfiguredAllow, configuredAllow, withoutAllowed } from './allowed.js';
import type { Context } from './context.js';
import type { Project } from './project.js';

/** What belongs to this host alone. */
export interface Local {
  readonly entries: readonly LocalEntry[];
  /** what the host-local sets are to hold */
  readonly content: LocalContent;
  /** who must still be able to talk to this host */
  readonly hosts: readonly Protected[];
  /** and who is loading the rules, through SSH */
  readonly caller: Caller | undefined;
  /** addresses that a person banned or allowed here */
  readonly banned: IpSet;
  readonly allowed: IpSet;
  /** everything that the first rule lets through */
  readonly open: IpSet;
  /** what lists and feeds allow: no ban here holds it */
  readonly configured: ConfiguredAllow;
}

/** Everybody who must still be able to talk to this host. */
export function everyoneOf({ hosts, caller }: Pick<Local, 'hosts' | 'caller'>): readonly Protected[] {
  return caller === undefined ? hosts : [...hosts, caller];
}

/** What is so whatever the rules are. */
export type LocalFacts = Pick<Local, 'entries' | 'hosts' | 'caller'>;

/** Gathers it from the configuration, from this machine, and from what was banned and allowed by hand. */
export async function localFacts(project: Project, context: Context): Promise<LocalFacts> {
  const [entries, hosts, session] = await Promise.all([
    readLocalEntries(project.state, context.now()),
    protectedHosts(project.config),
    invokingSshSession(context.env),
  ]);
  const caller = session && { prefix: session.peer.address, what: CALLER, port: session.local.port };
  return { entries, hosts, caller };
}

const CALLER = 'the other end of your SSH session';

/** @param loading the rules that are about to be loaded: whom they allow, no ban holds. Default: those that are loaded */
export async function localWith(
  { entries, hosts, caller }: LocalFacts,
  project: Project,
  context: Context,
  loading?: Manifest,
): Promise<Local> {
  return assemble(entries, hosts, caller, await configuredAllow(project, context, loading), context.now());
}

export async function localOf(project: Project, context: Context): Promise<Local> {
  return localWith(await localFacts(project, context), project, context);
}

/** The same with other entries, for a change of them. */
export function withEntries({ hosts, caller, configured }: Local, entries: readonly LocalEntry[], now: number): Local {
  return assemble(entries, hosts, caller, configured, now);
}

/** Who only happens to be logged in is guarded, but not allowed: an intruder must not protect himself by logging in. */
function assemble(
  entries: readonly LocalEntry[],
  hosts: readonly Protected[],
  caller: Caller | undefined,
  configured: ConfiguredAllow,
  now: number,
): Local {
  const allow = entries.filter(({ what }) => what === 'allow');
  const wishes = [
    ...hosts.map(({ prefix }) => ({ prefix, until: undefined })),
    ...allow.map(({ prefix, until }) => ({ prefix, until })),
  ];
  const asked = addressesOf(entries, 'ban');
  const isClear = asked.intersect(configured.all).isEmpty;
  const ban = entries
    .filter(({ what }) => what === 'ban')
    .flatMap(({ prefix, until }) =>
      (isClear ? [prefix] : withoutAllowed(prefix, configured.all)).map((each) => ({ prefix: each, until })),
    );
  return {
    entries,
    content: localContent(wishes, ban, now),
    hosts,
    caller,
    banned: asked.subtract(configured.all),
    allowed: addressesOf(entries, 'allow'),
    open: IpSet.from(wishes.map(({ prefix }) => prefix)),
    configured,
  };
}

/** Whom this host must reach, by its configuration and by what it is. @throws BlocklistError `program-missing`, `program-failed` */
export async function protectedHosts({ local }: Config): Promise<Protected[]> {
  const facts = { 'own-addresses': ownAddresses, gateway: gateways, resolvers: () => resolvers() } as const;
  const words = {
    'own-addresses': 'an address of this host',
    gateway: 'the gateway of this host',
    resolvers: 'a name server of this host',
  } as const;
  const found = await Promise.all(
    local.auto.map(async (kind) => (await facts[kind]()).map((prefix) => ({ prefix, what: words[kind] }))),
  );
  return [...local.admins.map((prefix) => ({ prefix, what: 'an address of local.admins' })), ...found.flat()];
}
