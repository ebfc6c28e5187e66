import { dirname, resolve } from 'node:path';
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { BlocklistError } from '../errors.js';
import { readWhole } from '../io/read.js';
import type { CrowdsecEntry } from './crowdsec-schema.js';
import { fail2banAt } from './fail2ban-schema.js';
import type { GeoConfig } from './geo-schema.js';
import { describeIssue } from './issues.js';
import type { NotifyEntry } from './notify-schema.js';
import { type ConfigValues, configSchema } from './schema.js';

const LARGEST_CONFIG = 1 << 20;

/** A checked configuration. Paths inside are absolute. */
export interface Config extends ConfigValues {
  /** absolute path of the file */
  readonly file: string;
  /** absolute path of its folder: relative paths in the file start here */
  readonly folder: string;
}

/**
 * Reads and checks `blocklist.yaml`.
 * @throws BlocklistError `config-missing`, `config-syntax`, `config-invalid`; the message has one line for each problem: file:line, key, expected, found.
 */
export async function loadConfig(path: string): Promise<Config> {
  const file = resolve(path);
  const text = await readWhole(file, LARGEST_CONFIG);
  if (text === undefined) {
    throw new BlocklistError('config-missing', `there is no ${path}`, {
      where: file,
      hint: 'name one with --config FILE; examples/quickstart/blocklist.yaml is a start',
    });
  }
  return parseConfig(text.toString('utf8'), file);
}

/** `loadConfig` for text at hand; `file` is for messages and as the root of relative paths. */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true });
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    const line = lines.linePos(syntax.pos[0]).line;
    const [what = ''] = syntax.message.split('\n');
    throw new BlocklistError('config-syntax', `${file}:${line}: ${what}`, {
      where: `${file}:${line}`,
      hint: 'the file is YAML: check indentation, colons and quotes on that line',
    });
  }
  const value = plainValue(document, file, lines);
  // One small value: compiling the schema first takes longer than reading with it as it is.
  const checked = configSchema.safeParse(value ?? {}, { jitless: true });
  if (!checked.success) {
    const problems = checked.error.issues
      .flatMap((issue) => describeIssue(issue, value))
      .map(({ path, message }) => ({ line: lineOf(document.contents, path, lines), message }))
      .sort((a, b) => a.line - b.line);
    throw new BlocklistError('config-invalid', problems.map((p) => `${file}:${p.line}: ${p.message}`).join('\n'), {
      where: `${file}:${problems[0]?.line ?? 1}`,
      hint: 'config.schema.json in the package lists every key for your editor',
    });
  }
  const folder = dirname(file);
  return { ...absolutePaths(checked.data, folder), file, folder };
}

/** A map of keys as YAML on one line or more, with or without its outer braces. @throws BlocklistError `bad-usage`. */
export function parseKeys(text: string): Readonly<Record<string, unknown>> {
  const forms = /^\s*[[{]/.test(text) ? [text] : [text, `{${text}}`];
  for (const form of forms) {
    const keys = yamlMap(form);
    if (keys !== undefined) return keys;
  }
  throw new BlocklistError('bad-usage', `--as:1: these are no keys: ${text.slice(0, 80)}`, {
    where: '--as',
    hint: "write them as in the configuration: --as '{format: csv, column: ip}'",
  });
}

/** The map of a small YAML file that is no configuration; undefined when it is none. */
export function yamlMap(text: string): Readonly<Record<string, unknown>> | undefined {
  const document = parseDocument(text, { strict: true, uniqueKeys: true });
  return document.errors.length === 0 && isMap(document.contents) ? document.toJS({ maxAliasCount: 0 }) : undefined;
}

/** The document as plain data. Aliases that lead nowhere, or to far too much, are found only here. */
function plainValue(document: Document, file: string, lines: LineCounter): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    const offsets: number[] = [];
    visit(document, { Alias: (_key, node) => void offsets.push(node.range?.[0] ?? 0) });
    const where = `${file}:${lines.linePos(offsets[0] ?? 0).line}`;
    throw new BlocklistError('config-syntax', `${where}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      where,
      hint: 'write the value out in place of the alias',
      cause,
    });
  }
}

/** Line of the deepest node on the path: of the key itself where the path ends in a key. */
function lineOf(root: Node | null, path: readonly PropertyKey[], lines: LineCounter): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const key of path) {
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (pair === undefined) break;
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
      next = pair.value;
    } else if (node !== null && typeof node === 'object' && 'items' in node && Array.isArray(node.items)) {
      next = node.items[Number(key)];
      offset = (next as Node | undefined)?.range?.[0] ?? offset;
    } else break;
    node = next;
  }
  return lines.linePos(offset).line;
}

function absolutePaths(values: ConfigValues, folder: string): ConfigValues {
  const at = (path: string) => resolve(folder, path);
  const { rules, cache, state } = values.paths;
  const { geo } = values;
  const databases = (entries: GeoConfig['asn']) => entries?.map((entry) => withPathsAt(entry, at));
  return {
    ...values,
    sources: {
      ...values.sources,
      feeds: values.sources.feeds.map((entry) => withKeyAt(entry, at)),
      custom: values.sources.custom.map((entry) => withPathsAt(entry, at)),
      bans: values.sources.bans.map((entry) => withPathsAt(entry, at)),
      ...withCrowdsecAt(values.sources.crowdsec, at),
      fail2ban: fail2banAt(values.sources.fail2ban, at),
    },
    allow: { files: values.allow.files.map(at), feeds: values.allow.feeds.map((entry) => withKeyAt(entry, at)) },
    geo: {
      ...geo,
      ...(geo.country === undefined ? {} : { country: databases(geo.country) }),
      ...(geo.asn === undefined ? {} : { asn: databases(geo.asn) }),
    },
    notify: notifyAt(values.notify, at),
    paths: {
      rules: at(rules),
      ...(cache === undefined ? {} : { cache: at(cache) }),
      ...(state === undefined ? {} : { state: at(state) }),
    },
  };
}

function withPathsAt<Entry extends object>(entry: Entry, at: (path: string) => string): Entry {
  return 'file' in entry && typeof entry.file === 'string' ? { ...entry, file: at(entry.file) } : withKeyAt(entry, at);
}

function notifyAt({ 'webhook-file': file, ...rest }: NotifyEntry, at: (path: string) => string): NotifyEntry {
  return file === undefined ? rest : { ...rest, 'webhook-file': at(file) };
}

function withCrowdsecAt(entry: CrowdsecEntry | undefined, at: (path: string) => string) {
  if (entry === undefined) return {};
  const { push } = entry;
  const pushed = push && { push: { 'credentials-file': at(push['credentials-file']) } };
  return { crowdsec: { ...entry, 'key-file': at(entry['key-file']), ...pushed } };
}

function withKeyAt<Entry>(entry: Entry, at: (path: string) => string): Entry {
  const isMap = entry !== null && typeof entry === 'object';
  if (!isMap || !('key-file' in entry) || typeof entry['key-file'] !== 'string') return entry;
  return { ...entry, 'key-file': at(entry['key-file']) };
}
