import leven from 'leven';
import type { z } from 'zod';
import { configJsonSchema } from './schema.js';

type Issue = z.core.$ZodIssue;

/** A problem in words: where in the document, and key, what was expected, what was found. */
export interface ConfigProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Puts one issue of zod into words. `document` is the whole value, for what was found. */
export function describeIssue(issue: Issue, document: unknown): ConfigProblem {
  if (issue.code === 'invalid_union') return describeUnion(issue, document);
  const key = keyOf(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const [unknown = ''] = issue.keys;
    const known = knownKeys(issue.path);
    const path = [...issue.path, unknown];
    return { path, message: `unknown key ${keyOf(path)}${didYouMean(unknown, known)}` };
  }
  const found = shortened(valueAt(document, issue.path));
  return { path: issue.path, message: `${key}: ${expectation(issue)}, found ${found}` };
}

/** For `id | {id: …}` and `{file} | {url}`: the branch that got furthest tells what is wrong. */
function describeUnion(issue: Extract<Issue, { code: 'invalid_union' }>, document: unknown): ConfigProblem {
  const branches = issue.errors.filter(
    (errors) => !errors.some((e) => e.code === 'invalid_type' && e.path.length === 0),
  );
  const value = valueAt(document, issue.path);
  const has = (key: string) => value !== null && typeof value === 'object' && key in value;
  if (branches.length === 2 && !has('file') && !has('url')) {
    return { path: issue.path, message: `${keyOf(issue.path)}: expected a key file or url, found ${shortened(value)}` };
  }
  const best = branches
    .map((errors) =>
      errors.filter((error) => !(error.code === 'unrecognized_keys' && branches.length > 1 && errors.length > 1)),
    )
    .sort((a, b) => a.length - b.length || Number(a[0]?.path.length === 0) - Number(b[0]?.path.length === 0))[0];
  const first = best?.[0];
  if (first === undefined) {
    const message = `${keyOf(issue.path)}: expected an id or a map with the key id, found ${shortened(value)}`;
    return { path: issue.path, message };
  }
  return describeIssue({ ...first, path: [...issue.path, ...first.path] } as Issue, document);
}

function expectation(issue: Issue): string {
  if (issue.code === 'invalid_type') return `expected ${issue.expected === 'record' ? 'map' : issue.expected}`;
  if (issue.code === 'invalid_value') return `expected one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'too_small') return `expected at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}`;
  return issue.message;
}

function keyOf(path: readonly PropertyKey[]): string {
  const text = path.reduce<string>(
    (joined, part) =>
      typeof part === 'number' ? `${joined}[${part}]` : `${joined}${joined ? '.' : ''}${String(part)}`,
    '',
  );
  return text || 'the file';
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  let value = document;
  for (const key of path) {
    if (value === null || typeof value !== 'object') return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function shortened(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** The keys allowed at a path, from the same JSON Schema that editors use. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let nodes: readonly SchemaNode[] = [configJsonSchema() as SchemaNode];
  for (const key of path) {
    nodes = nodes
      .map((node) => (typeof key === 'number' ? node.items : node.properties?.[String(key)]))
      .filter((node) => node !== undefined)
      .flatMap((node) => node.anyOf ?? [node]);
  }
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

/** `, did you mean 'x'?` for the nearest name that is near enough, otherwise the list of names. */
export function didYouMean(word: string, known: readonly string[]): string {
  const [nearest] = [...known].sort((a, b) => leven(word, a) - leven(word, b));
  if (nearest === undefined) return '';
  if (leven(word, nearest) <= Math.max(2, word.length / 3)) return `, did you mean '${nearest}'?`;
  return `; known here: ${known.join(', ')}`;
}
