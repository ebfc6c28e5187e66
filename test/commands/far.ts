import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentOf } from '../sources/specs.js';
import type { Ran } from '../system/processes.js';
import { blocklist, projectWith } from './cli.js';

type Environment = Readonly<Record<string, string>>;

/** No fault of these tests may hold up a run for so long; one that does is killed, and the test fails. */
const TOO_LONG_MS = 15_000;

/** A project with the source `far` at this address, and `near`, a file that is always well. */
export function farProject(url: string, keys = '', more = '', files: Readonly<Record<string, string>> = {}) {
  const far = `{id: far, url: "${url}"${keys === '' ? '' : `, ${keys}`}}`;
  const yaml = `sources: {custom: [${far}, {id: near, file: near.txt}]}\n${more}`;
  return projectWith(yaml, { 'near.txt': '5.6.7.10\n', ...files });
}

export function update(folder: string, options: readonly string[] = [], env: Environment = {}): Promise<Ran> {
  return blocklist(['update', ...options], { cwd: folder, env, timeoutMs: TOO_LONG_MS });
}

/** What --json tells of a source. */
export async function updateJson(folder: string, env: Environment = {}, id = 'far') {
  const { status, stdout, stderr } = await update(folder, ['--json'], env);
  if (stderr !== '') throw new Error(stderr);
  const { sources } = JSON.parse(stdout) as { sources: { id: string; data: string; problem?: string }[] };
  const { data, problem } = sources.find((source) => source.id === id) ?? {};
  return { status, data, problem };
}

/** Every file of the rules, byte by byte. */
export function rulesOf(folder: string): Promise<Record<string, string>> {
  return contentOf(join(folder, 'rules'));
}

/** The single addresses of IPv4 in the rules. */
export function nodesOf(folder: string): Promise<string> {
  return readFile(join(folder, 'rules', 'nodes4.txt'), 'utf8');
}

/** The line that stderr has of a source and its problem. */
export function lineOf({ stderr }: Ran, id = 'far'): string {
  const lines = stderr.split('\n').filter((line) => line.startsWith(`${id}: `) && !line.endsWith(' bytes fetched'));
  return lines.join('\n');
}
