import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const SRC = new URL('../../src/', import.meta.url);
const ERRORS = 'errors.ts';

/** Names that exist in node alone, or that let code act on the world. */
const FORBIDDEN = new Set([
  ...[
    'process',
    'Buffer',
    'console',
    'require',
    'module',
    'exports',
    'global',
    'globalThis',
    '__dirname',
    '__filename',
  ],
  ...['setTimeout', 'setInterval', 'setImmediate', 'fetch', 'Date', 'performance', 'eval', 'Function'],
]);

function names(folder: URL): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
}

/** Every module that the source names, in whatever form: import, export from, import(), import type, require. */
function importsOf(source: string): string[] {
  return ts.preProcessFile(source, true, true).importedFiles.map(({ fileName }) => fileName);
}

/** Identifiers of FORBIDDEN that are used as names of their own (not `x.process`, not `{ process: 1 }`), and names of node modules. */
function forbiddenIn(source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && FORBIDDEN.has(node.text)) {
      const { parent } = node;
      const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node;
      const isKey = (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === node;
      if (!isMember && !isKey) found.push(node.text);
    }
    if (ts.isMetaProperty(node)) found.push('import.meta');
    if (ts.isStringLiteralLike(node) && node.text.startsWith('node:')) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('x.ts', source, ts.ScriptTarget.ES2022, true));
  return found;
}

function read(name: string): string {
  return readFileSync(new URL(name, SRC), 'utf8');
}

const files = names(new URL('ip/', SRC)).map((name) => `ip/${name}`);

test('the folder is there, flat, and index.ts leads to nothing outside of it', () => {
  expect(files).toContain('ip/index.ts');
  expect(files.length).toBeGreaterThan(10);
  const seen = new Set<string>();
  const follow = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const target of importsOf(read(name))) {
      follow(new URL(target.replace(/\.js$/, '.ts'), new URL(name, SRC)).href.slice(SRC.href.length));
    }
  };
  follow('ip/index.ts');
  expect([...seen].filter((name) => !files.includes(name))).toEqual([ERRORS]);
});

describe.each(files)('src/%s', (name) => {
  const source = read(name);

  test('imports files beside it and errors.js, and nothing else', () => {
    for (const target of importsOf(source)) {
      expect(target).toMatch(/^(\.\/[a-z0-9-]+|\.\.\/errors)\.js$/);
      const file = fileURLToPath(new URL(target.replace(/\.js$/, '.ts'), new URL(name, SRC)));
      expect(existsSync(file), target).toBe(true);
    }
  });

  test('uses neither node nor the world around it', () => {
    expect(forbiddenIn(source)).toEqual([]);
  });
});

describe(`src/${ERRORS}`, () => {
  test('imports nothing', () => {
    expect(importsOf(read(ERRORS))).toEqual([]);
  });

  test('uses neither node nor the world around it', () => {
    expect(forbiddenIn(read(ERRORS))).toEqual([]);
  });
});

describe('the checks see what they are for', () => {
  test.each<[source: string, imports: string[]]>([
    ["import fs from 'node:fs';", ['node:fs']],
    ["import type { A } from '../io/a.js';", ['../io/a.js']],
    ["export { a } from 'a';", ['a']],
    ["export * from 'a';", ['a']],
    ["const a = await import('a');", ['a']],
    ["import 'a';", ['a']],
    ["const a = require('a');", ['a']],
    ['const a = 1; // import b from "b"', []],
  ])('imports of %s', (source, imports) => {
    expect(importsOf(source)).toEqual(imports);
  });

  test.each<[source: string, found: string[]]>([
    ['process.exit(1);', ['process']],
    ['const a = globalThis.process;', ['globalThis']],
    ['const { env } = process;', ['process']],
    ['console.log(Buffer.from("a"));', ['console', 'Buffer']],
    ['const a = import.meta.url;', ['import.meta']],
    ['const fs = load("node:fs");', ['node:fs']],
    ['// process, node:fs\nconst a = "process"; a.process = { console: 1 };', []],
  ])('names in %s', (source, found) => {
    expect(forbiddenIn(source)).toEqual(found);
  });
});
