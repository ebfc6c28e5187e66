import { readWhole } from '../io/read.js';
import { run } from '../io/run.js';
import { ask, failed } from './ask.js';

/** What firewalld tells of itself, by its own programs (firewall-cmd(1)). */

export const FIREWALLD_FOLDER = '/etc/firewalld';
/** firewall-cmd(1), EXIT CODES */
const NOT_RUNNING = 252;
/** A reload reads every ipset in Python, one entry at a time: tens of thousands take minutes on a slow machine. */
export const RELOAD_TIMEOUT_MS = 600_000;

/** @throws BlocklistError `program-missing`, `program-failed` */
export async function isFirewalldRunning(): Promise<boolean> {
  const state = ['firewall-cmd', '--state'] as const;
  const ran = await run(state);
  if (ran.status !== 0 && ran.status !== NOT_RUNNING) throw failed(state, ran);
  return ran.status === 0;
}

/** Where it keeps its rules; `nftables` unless somebody chose otherwise (firewalld.conf(5)). */
export async function firewalldBackend(): Promise<string> {
  const conf = await readWhole(`${FIREWALLD_FOLDER}/firewalld.conf`, 1_000_000);
  return /^\s*FirewallBackend\s*=\s*(\w+)/m.exec(conf?.toString('latin1') ?? '')?.[1] ?? 'nftables';
}

const RULES: ReadonlyArray<readonly string[]> = [
  ['--list-all-zones'],
  ['--list-all-policies'],
  ['--direct', '--get-all-chains'],
  ['--direct', '--get-all-rules'],
  ['--direct', '--get-all-passthroughs'],
];

/**
 * What a reload would change beside our own part, as it is at run time: `zone public: ports: 2222/tcp`. Empty when the configuration on disk is what is in
 * force. Interfaces do not count: whoever brings them up joins them to their zone again.
 * @throws BlocklistError `program-failed`
 */
export async function onlyAtRunTime(own: string): Promise<string[]> {
  const [now, then] = await Promise.all([factsOf([], own), factsOf(['--permanent'], own)]);
  const differs = (a: readonly string[], b: readonly string[]) => a.filter((line) => !b.includes(line));
  const lost = differs(now, then);
  return lost.length > 0 ? lost : differs(then, now).map((line) => `not in force yet: ${line}`);
}

async function factsOf(permanent: readonly string[], own: string): Promise<string[]> {
  const facts: string[] = [];
  for (const query of RULES) facts.push(...listed(await ask(['firewall-cmd', ...permanent, ...query]), own));
  const ipsets = (await ask(['firewall-cmd', ...permanent, '--get-ipsets'])).split(/\s+/).filter(Boolean);
  for (const name of ipsets.filter((each) => !each.startsWith(`${own}-`))) {
    const entries = await ask(['firewall-cmd', ...permanent, `--ipset=${name}`, '--get-entries']);
    facts.push(...entries.split('\n').map((entry) => `ipset ${name}: ${entry}`));
  }
  return facts;
}

/** The lines of each zone or policy with its name; of direct rules, which have none, as they are. */
export function listed(text: string, own: string): string[] {
  let section = '';
  const lines: string[] = [];
  for (const line of text.split('\n').map((each) => each.trimEnd())) {
    if (/^\S/.test(line)) section = line.replace(/ \([a-z, ]+\)$/, '');
    const isOwn = section === own || /^\s+interfaces:/.test(line);
    if (line !== '' && !isOwn) lines.push(/^\S/.test(line) ? section : `${section}: ${line.trim()}`);
  }
  return lines;
}
