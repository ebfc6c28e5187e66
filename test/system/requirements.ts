import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';
import { CROWDSEC_PROGRAMS } from '../setup/crowdsec.js';

/** The program under test, as it is published. */
export const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));

/**
 * Turns a command of root into one without any capability: it may read root's own files, wherever this checkout is, and
 * has no other right. On exec the bounding set limits what root gets (capabilities(7)); CAP_SETFCAP is left because root needs it to be
 * root in a user namespace of its own (user_namespaces(7)).
 */
export const WITHOUT_RIGHTS = ['setpriv', '--bounding-set', '-all,+setfcap', '--inh-caps', '-all'] as const;

/**
 * Stands before a command of another user that runs the program under test: this checkout may lie in a folder of root's alone, so it is
 * mounted where everybody can read it.
 */
export const READABLE = [
  ...['unshare', '-m', 'sh', '-c', 'mount --bind "$0" /mnt && exec "$@"'],
  fileURLToPath(new URL('../..', import.meta.url)),
] as const;
export const READABLE_CLI = '/mnt/dist/cli.cjs';

/** Where programs are looked for: administrators' folders are not in everyone's PATH. */
export const SEARCH_PATH = `${process.env.PATH ?? ''}:/usr/sbin:/usr/bin:/sbin:/bin:${CROWDSEC_PROGRAMS}`;

function works(program: string, ...args: readonly string[]): boolean {
  const env = { ...process.env, PATH: SEARCH_PATH };
  return spawnSync(program, args, { env, stdio: 'ignore', timeout: 20_000 }).status === 0;
}

/** What a test can need beside programs, and how it is tried. */
const PROBES: Readonly<Record<string, readonly [works: () => boolean, reason: string]>> = {
  root: [() => process.getuid?.() === 0, 'not run as root'],
  netns: [() => works('unshare', '-n', 'true'), 'no network namespaces here'],
  mountns: [() => works('unshare', '-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'), 'no mounts in namespaces here'],
  overlay: [
    () =>
      works(
        ...([
          'unshare',
          '-m',
          'sh',
          '-c',
          'mount -t tmpfs none /mnt && cd /mnt && mkdir u w r && exec "$@"',
          'sh',
        ] as const),
        ...['mount', '-t', 'overlay', 'overlay', '-o', 'lowerdir=/,upperdir=u,workdir=w', 'r'],
      ),
    'no overlay of the whole file system here',
  ],
  cgroup2: [() => works('unshare', '-m', 'mount', '-t', 'cgroup2', 'none', '/mnt'), 'no unified control groups here'],
  'kernel-log': [
    () => works('sh', '-c', 'dmesg > /dev/null && [ -w /proc/sys/net/netfilter/nf_log_all_netns ]'),
    'the log of the kernel is not to be read or told of namespaces',
  ],
  'pam-systemd': [() => existsSync('/usr/share/pam-configs/systemd'), 'pam does not tell logind of sessions here'],
  userns: [
    () => works(WITHOUT_RIGHTS[0], ...WITHOUT_RIGHTS.slice(1), 'unshare', '-Urn', 'true'),
    'no user namespaces here',
  ],
};

const tried = new Map<string, string | undefined>();

/** Why one need is not met, undefined when it is. */
function lack(need: string): string | undefined {
  if (!tried.has(need)) {
    const [isMet, reason] = PROBES[need] ?? [() => works('which', need), `${need} is not installed`];
    tried.set(need, isMet() ? undefined : reason);
  }
  return tried.get(need);
}

export type Verdict =
  | { readonly run: true }
  | { readonly run: false; readonly mustFail: boolean; readonly why: string };

/** Whether a test can run here. Where it cannot, it is skipped by name; under CI=true it fails: there the parts must be. */
export function verdict(needs: readonly string[], env: Readonly<Record<string, string | undefined>>): Verdict {
  const reasons = needs.map(lack).filter((reason) => reason !== undefined);
  return reasons.length === 0 ? { run: true } : { run: false, mustFail: env.CI === 'true', why: reasons.join(', ') };
}

function failing(why: string) {
  return () => {
    throw new Error(`CI=true and this cannot run: ${why}`);
  };
}

type Work = () => Promise<void>;

/** A test that needs parts of the system: names of programs, or `root`, `netns`, `mountns`, `userns`. */
export function systemTest(name: string, needs: readonly string[], work: Work, timeoutMs?: number): void {
  const found = verdict(needs, process.env);
  if (found.run) test(name, work, timeoutMs);
  else if (found.mustFail) test(`${name} (${found.why})`, failing(found.why));
  else test.skip(`${name} (skipped: ${found.why})`, work);
}

/** The same for a block of tests with common preparations. */
export function describeSystem(name: string, needs: readonly string[], block: () => void): void {
  const found = verdict(needs, process.env);
  if (found.run) describe(name, block);
  else if (found.mustFail) describe(name, () => test(`all of it (${found.why})`, failing(found.why)));
  else describe.skip(`${name} (skipped: ${found.why})`, block);
}
