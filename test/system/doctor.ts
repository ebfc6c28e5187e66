import { expect } from 'vitest';
import type { Finding } from '../../src/doctor/contract.js';
import type { Namespace } from './namespace.js';
import { type Ran, run } from './processes.js';
import type { Project } from './project.js';

export interface Report {
  readonly status: number;
  readonly findings: ReadonlyArray<Finding & { readonly fix?: string }>;
  /** findings with this name, as `state where` */
  readonly of: (id: string) => string[];
}

/** What doctor printed; whatever is not good must come with a fix. */
export function reportOf(ran: Ran): Report {
  if (ran.stdout === '') throw new Error(`doctor: ${ran.status}: ${ran.stderr}`);
  const { schema, findings } = JSON.parse(ran.stdout) as Report & { schema: string };
  expect(schema).toBe('blocklist/doctor');
  for (const { state, fix } of findings) if (state !== 'good') expect(fix).toMatch(/\S{4}/);
  const of = (id: string) =>
    findings.filter((each) => each.id === id).map(({ state, where = '' }) => `${state} ${where}`.trim());
  return { status: ran.status, findings, of };
}

/** `blocklist doctor`, perhaps behind other programs: `setpriv`, `unshare`. */
export async function doctor(
  space: Namespace | undefined,
  project: Project,
  only: readonly string[] = [],
  prefix: readonly string[] = [],
): Promise<Report> {
  const argv = [...prefix, ...project.argv('doctor', '--json', ...only.flatMap((name) => ['--only', name]))];
  return reportOf(space === undefined ? await run(argv) : await space.run(argv));
}

/** Runs a command in a mount namespace of its own after this line of shell, which has the further words as `$1`…; `--` ends them. */
export function mounted(shell: string, ...words: readonly string[]): string[] {
  const take = words.map(() => 'shift').join('; ');
  return [
    'unshare',
    '-m',
    '--propagation',
    'private',
    'sh',
    '-c',
    `set -e; ${shell}; ${take || ':'}; exec "$@"`,
    'sh',
    ...words,
  ];
}
