import { readArtefact } from '../apply/artefact-store.js';
import { type Hold, readHold } from '../apply/hold.js';
import { Nft } from '../apply/nft.js';
import { isWaiting, type Pending, readPending } from '../apply/pending.js';
import { BlocklistError } from '../errors.js';
import { age, grouped } from '../io/figures.js';
import { namedSets } from '../render/layout.js';
import { type Bench, examination, type Finding, good, type Host, told } from './contract.js';
import { attempt } from './look.js';

export interface RulesFacts {
  readonly folder: string;
  readonly artefact: { readonly digest: string; readonly prefixes: number } | BlocklistError;
  /** milliseconds since 1970; undefined: never on this host */
  readonly lastBuild: number | undefined;
  /** milliseconds; the configuration's */
  readonly maxAge: number;
  readonly loaded: { readonly digest: string | undefined } | 'nothing' | BlocklistError;
  readonly hold: Hold | BlocklistError | undefined;
  readonly waiting: Pending | BlocklistError | undefined;
}

async function gather({ config, folders, lastBuild, now }: Host): Promise<RulesFacts | undefined> {
  if (config instanceof BlocklistError) return undefined;
  const { rules } = config.paths;
  const [artefact, live, hold, pending] = await Promise.all([
    attempt(() => readArtefact(rules)),
    attempt(() => new Nft().structure()),
    attempt(() => readHold(folders.state)),
    attempt(() => readPending(folders.state)),
  ]);
  const isOpen = pending !== undefined && (pending instanceof BlocklistError || (await isWaiting(pending, now)));
  return {
    folder: rules,
    artefact: artefact instanceof BlocklistError ? artefact : summary(artefact),
    lastBuild,
    maxAge: config.guards['max-age'],
    loaded: live === undefined ? 'nothing' : live instanceof BlocklistError ? live : { digest: live.digest },
    hold,
    waiting: isOpen ? pending : undefined,
  };
}

function summary({ digest, sets }: Awaited<ReturnType<typeof readArtefact>>) {
  return { digest, prefixes: namedSets(sets).reduce((sum, { prefixes }) => sum + prefixes.size, 0) };
}

export function judgeRules(facts: RulesFacts | undefined, bench: Bench): Finding[] {
  // Without a configuration nobody knows where rules are; that is told by its own examination.
  if (facts === undefined) return [];
  return [...judgeArtefact(facts, bench), ...judgeAge(facts, bench), ...judgeLoaded(facts, bench)];
}

function judgeArtefact({ artefact, folder }: RulesFacts, { line }: Bench): Finding[] {
  if (!(artefact instanceof BlocklistError)) return [good('rules', `${grouped(artefact.prefixes)} prefixes`, folder)];
  if (artefact.code === 'artefact-missing')
    return [
      told(
        'rules',
        'note',
        'nothing was rendered yet',
        `${line('update')}; without the network: ${line('build')}`,
        folder,
      ),
    ];
  const state = artefact.code === 'file-unreadable' ? 'unknown' : 'problem';
  return [told('rules', state, artefact.message, artefact.hint ?? line('build'), artefact.where ?? folder)];
}

function judgeAge({ lastBuild, maxAge, artefact }: RulesFacts, { line, now }: Bench): Finding[] {
  if (lastBuild === undefined || artefact instanceof BlocklistError) return [];
  const old = now - lastBuild;
  if (old <= maxAge) return [good('rules-age', `built ${old < 60_000 ? 'just now' : `${age(old)} ago`}`)];
  return [
    told(
      'rules-age',
      'problem',
      `the last build is ${age(old)} old, older than guards.max-age`,
      `${line('update')}; if it should run by itself: systemctl status blocklist-update.service blocklist.timer`,
    ),
  ];
}

function judgeLoaded({ artefact, loaded, hold, waiting }: RulesFacts, { line, now }: Bench): Finding[] {
  const found: Finding[] = [];
  for (const each of [hold, waiting]) {
    if (each instanceof BlocklistError) {
      const state = each.code === 'file-unreadable' ? 'unknown' : 'problem';
      found.push(told('state', state, each.message, each.hint ?? `sudo ${line('doctor')}`, each.where));
    }
  }
  if (hold !== undefined && !(hold instanceof BlocklistError)) {
    const what = `${hold.what} by ${hold.by}: nothing loads the rules by itself`;
    found.push(told('hold', 'note', what, `if that is over: ${line('apply')}`));
  }
  if (waiting !== undefined && !(waiting instanceof BlocklistError)) {
    const seconds = Math.ceil((waiting.deadline - now) / 1000);
    found.push(told('unconfirmed', 'note', `the load goes back in ${seconds} s`, `to keep it: ${line('confirm')}`));
  }
  if (artefact instanceof BlocklistError) return found;
  return [...found, ...judgeKernel(artefact.digest, loaded, hold !== undefined, line)];
}

function judgeKernel(digest: string, loaded: RulesFacts['loaded'], isHeld: boolean, line: Bench['line']): Finding[] {
  if (loaded instanceof BlocklistError)
    return [
      told('loaded', 'unknown', `what is loaded cannot be seen: ${loaded.message}`, loaded.hint ?? 'run it as root'),
    ];
  // What a person took away is told as such.
  if (loaded === 'nothing')
    return isHeld
      ? []
      : [told('loaded', 'note', 'nothing of ours is loaded', `${line('apply --dry-run')}, then ${line('apply')}`)];
  if (loaded.digest === digest) return [good('loaded', 'the kernel says that it holds these rules; status compares')];
  return isHeld
    ? []
    : [told('loaded', 'note', 'other rules are loaded than those that are rendered', line('apply --dry-run'))];
}

export const rules = examination('rules', { gather, judge: judgeRules });
