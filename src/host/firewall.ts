import { BlocklistError } from '../errors.js';
import { run } from '../io/run.js';
import { ask } from './ask.js';
import { type Opened, openedBy, parseZones, type Zone } from './firewalld-zones.js';
import { parseUfwRules, type UfwRules } from './ufw-rules.js';

/** The program by which a person opens and closes ports on this host, and what it does with them. */
export type Firewall =
  | { readonly name: 'firewalld'; readonly opened: (protocol: 'tcp' | 'udp', port: number) => readonly Opened[] }
  | { readonly name: 'ufw'; readonly rules: UfwRules }
  | { readonly name: 'none' };

/** These programs are written in Python and ask others through D-Bus. */
const PATIENCE = { timeoutMs: 20_000 } as const;

/** Of programs that are here but do not answer in time, or not to this user, nothing is known: as if they did not run. */
export async function firewallHere(): Promise<Firewall> {
  if ((await answer('firewall-cmd', '--state'))?.trim() === 'running') {
    try {
      return { name: 'firewalld', opened: await firewalldOpens() };
    } catch (error) {
      if (!(error instanceof BlocklistError)) throw error;
    }
  }
  const rules = parseUfwRules((await answer('ufw', 'status')) ?? '');
  return rules === undefined ? { name: 'none' } : { name: 'ufw', rules };
}

async function answer(program: string, ...args: readonly string[]): Promise<string | undefined> {
  try {
    const { status, stdout } = await run([program, ...args], PATIENCE);
    return status === 0 ? stdout.toString('utf8') : undefined;
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}

async function firewalldOpens() {
  const asked = (...args: readonly string[]) => ask(['firewall-cmd', ...args], PATIENCE);
  const usual = (await asked('--get-default-zone')).trim();
  const zones = parseZones(await asked('--list-all-zones')).filter(({ name, isActive }) => isActive || name === usual);
  const services = await portsOfServices(zones, asked);
  return (protocol: 'tcp' | 'udp', port: number) => openedBy(zones, services, protocol, port);
}

/** A service may include others (firewalld.service(5)). */
async function portsOfServices(zones: readonly Zone[], asked: (...args: readonly string[]) => Promise<string>) {
  const ports = new Map<string, readonly string[]>();
  const portsOf = async (name: string): Promise<readonly string[]> => {
    const known = ports.get(name);
    if (known !== undefined) return known;
    // Before the question is answered: two may include each other.
    ports.set(name, []);
    const text = await asked(`--info-service=${name}`);
    const words = (key: string) =>
      new RegExp(`^  ${key}: (.*)$`, 'm').exec(text)?.[1]?.split(' ').filter(Boolean) ?? [];
    const own = words('ports');
    for (const each of words('includes')) own.push(...(await portsOf(each)));
    ports.set(name, own);
    return own;
  };
  for (const name of new Set(zones.flatMap(({ services }) => services))) await portsOf(name);
  return ports;
}
