import leven from 'leven';
import type { z } from 'zod';
import { configJsonSchema } from './schema.js';

type Issue = z.core.$ZodIssue;

/** A problem in words: where in the document, and key, what was expected, what was found. */
export interface ConfigProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Puts one issue of zod into words: one problem, or one for each unknown key. `document` is the whole value, for what was found. */
export function describeIssue(issue: Issue, document: unknown): ConfigProblem[] {
  if (issue.code === 'invalid_union') return describeUnion(issue, document);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path);
    return issue.keys.map((unknown) => {
      const path = [...issue.path, unknown];
      // Known elsewhere: the timeout of a source that is a file, for example.
      const words = known.includes(unknown)
        ? `${keyOf(path)}: expected no such key here`
        : `unknown key ${keyOf(path)}${didYouMean(unknown, known)}`;
      return { path, message: words };
    });
  }
  const found = shortened(valueAt(document, issue.path));
  return [{ path: issue.path, message: `${keyOf(issue.path)}: ${expectation(issue)}, found ${found}` }];
}

/** For `id | {id: …}` and `{file} | {url}`: the branch that got furthest tells what is wrong. */
function describeUnion(issue: Extract<Issue, { code: 'invalid_union' }>, document: unknown): ConfigProblem[] {
  const value = valueAt(document, issue.path);
  const problem = (expected: string) => [
    { path: issue.path, message: `${keyOf(issue.path)}: expected ${expected}, found ${shortened(value)}` },
  ];
  const branches = issue.errors.filter(
    (errors) =>
      !errors.some(({ code, path }) => (code === 'invalid_type' || code === 'invalid_value') && path.length === 0),
  );
  // A list in place of one: what is wrong with its elements.
  const inside = branches.find((errors) => errors.every(({ path }) => path.length > 0));
  if (Array.isArray(value) && inside !== undefined) return inside.flatMap((error) => within(issue, error, document));
  const [has, isList] = [
    (key: string) => value !== null && typeof value === 'object' && key in value,
    branches.length === 2,
  ];
  if (isList && has('file') === has('url'))
    return problem(has('file') ? 'a key file or url, not both' : 'a key file or url');
  // The branch of the other kind complains of the key that makes this one what it is.
  const [kind, other] = has('file') ? ['file', 'url'] : ['url', 'file'];
  const best = isList
    ? branches.find(
        (errors) =>
          !errors.some((e) => (e.code === 'unrecognized_keys' && e.keys.includes(kind)) || e.path[0] === other),
      )
    : branches[0];
  if (best === undefined || best.length === 0)
    return [{ path: issue.path, message: `${keyOf(issue.path)}: ${issue.message}, found ${shortened(value)}` }];
  return best.flatMap((error) => within(issue, error, document));
}

/** A problem of one branch of a union, told from the root of the document. */
function within({ path }: Issue, error: Issue, document: unknown): ConfigProblem[] {
  return describeIssue({ ...error, path: [...path, ...error.path] } as Issue, document);
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
      .flatMap(alternatives);
  }
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

/** What a value may be, one by one: an alternative may have alternatives itself. */
function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf?.flatMap(alternatives) ?? [node];
}

/** `, did you mean 'x'?` for the nearest name that is near enough, otherwise the list of names. */
export function didYouMean(word: string, known: readonly string[]): string {
  return nearName(word, known) || (known.length === 0 ? '' : `; known here: ${known.join(', ')}`);
}

/** The same without the list, for names that are too many for a screen: empty when none is near. */
export function nearName(word: string, known: readonly string[]): string {
  const [nearest] = [...known].sort((a, b) => leven(word, a) - leven(word, b));
  const isNear = nearest !== undefined && leven(word, nearest) <= Math.max(2, word.length / 3);
  return isNear ? `, did you mean '${nearest}'?` : '';
}
