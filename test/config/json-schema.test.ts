import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { configJsonSchema } from '../../src/config/schema.js';
import { BlocklistError } from '../../src/errors.js';
import { parsed } from './parsed.js';

const schema = z.fromJSONSchema(configJsonSchema() as Parameters<typeof z.fromJSONSchema>[0]);

function loaderTakes(text: string): boolean {
  try {
    parsed(text);
    return true;
  } catch (error) {
    if (error instanceof BlocklistError) return false;
    throw error;
  }
}

function editorTakes(text: string): boolean {
  return schema.safeParse(parse(text)).success;
}

const LIST = 'sources: {custom: [{id: a, ';

describe('an editor with the JSON Schema and the loader agree', () => {
  test.each<[text: string, good: boolean]>([
    ['{}', true],
    ['{sources: {}, allow: {}, local: {}, guards: {}, paths: {}}', true],
    ['[]', false],
    ['text', false],
    ['{polcy: {}}', false],
    ['sources: {feeds: [a, {id: b}, {id: c, direction: both}]}', true],
    ['sources: {feeds: a}', false],
    ['sources: {feeds: [A]}', false],
    ['sources: {feeds: [{direction: in}]}', false],
    ['sources: {feeds: [{id: a, direction: up}]}', false],
    ['sources: {feeds: [{id: a, url: "http://x/"}]}', false],
    [`${LIST}file: x}]}`, true],
    [`${LIST}url: "http://example.org/"}]}`, true],
    [`${LIST}url: "https://example.org/", timeout: 600, format: score, min-score: 2, max-bytes: 1}]}`, true],
    [`${LIST}file: x, direction: out, format: plain}]}`, true],
    [`${LIST}file: x, url: "http://example.org/"}]}`, false],
    [`${LIST}}]}`, false],
    [`${LIST}file: ""}]}`, false],
    [`${LIST}file: x, timeout: 60}]}`, false],
    [`${LIST}url: "http://example.org/", timeout: 0}]}`, false],
    [`${LIST}file: x, min-score: 0}]}`, false],
    [`${LIST}file: x, min-score: 1.5}]}`, false],
    [`${LIST}file: x, max-bytes: 0}]}`, false],
    [`${LIST}file: x, format: cvs}]}`, false],
    ['sources: {countries: {block: [cn, RU]}}', true],
    ['sources: {countries: {block: [chn]}}', false],
    ['sources: {countries: {only: [cn]}}', true],
    ['sources: {countries: {only: []}}', false],
    ['sources: {countries: {only: [cn], ports: [22]}}', true],
    ['sources: {countries: {only: [cn], ports: [0]}}', false],
    ['allow: {files: [a, b]}', true],
    ['allow: {files: [""]}', false],
    ['allow: {feeds: [a]}', true],
    ['local: {admins: [192.0.2.1, "2001:db8::/32"]}', true],
    ['local: {admins: [3]}', false],
    ['guards: {max-prefix-v4: 1, max-prefix-v6: 128, max-rejects: 5%, max-coverage: 25.5%}', true],
    ['guards: {max-prefix-v4: 0}', false],
    ['guards: {max-prefix-v4: 33}', false],
    ['guards: {max-prefix-v6: 129}', false],
    ['guards: {max-rejects: 5}', false],
    ['guards: {max-coverage: 25 %}', false],
    ['guards: {max-country-coverage: "%"}', false],
    ['paths: {rules: a, cache: b, state: c}', true],
    ['paths: {country-database: d}', false],
    ['geo: {country: a.mmdb, asn: "https://example.org/asn.csv", max-age: 30d}', true],
    ['geo: {asn: [a.csv, {file: b.zip, member: b.csv}, {url: "http://example.org/", interval: 1d}]}', true],
    ['geo: {asn: []}', false],
    ['geo: {asn: 4}', false],
    ['geo: {asn: [4]}', false],
    ['geo: {asn: {file: a, url: "http://example.org/"}}', false],
    ['geo: {asn: {file: a, timeout: 5}}', false],
    ['geo: {ip: a}', false],
    ['{geo: {asn: a}, sources: {asns: [AS4134, 56040, as1]}}', true],
    ['{geo: {asn: a}, sources: {asns: [AS0]}}', false],
    ['{geo: {asn: a}, sources: {asns: [0]}}', false],
    ['{geo: {asn: a}, sources: {asns: [4294967296]}}', false],
    ['{geo: {asn: a}, sources: {asns: [AS04]}}', false],
    ['sources: {countries: {block: [europe, south-america], unknown: drop}}', true],
    ['sources: {countries: {block: [atlantis]}}', false],
    ['sources: {countries: {unknown: yes}}', false],
    ['paths: {rules: ""}', false],
    ['paths: {log: a}', false],
  ])('%s: %s', (text, good) => {
    expect({ loader: loaderTakes(text), editor: editorTakes(text) }).toEqual({ loader: good, editor: good });
  });

  test.each(['every-key.yaml', 'many-mistakes.yaml'])('on %s', async (name) => {
    const text = await readFile(new URL(`../fixtures/config/${name}`, import.meta.url), 'utf8');
    expect(editorTakes(text)).toBe(name === 'every-key.yaml');
  });
});

/** What a JSON Schema cannot say is left to the loader; what an editor marks as wrong is always wrong. */
describe('only the loader refuses', () => {
  test.each([
    'sources: {feeds: [a, a]}',
    'local: {admins: [010.0.0.1]}',
    'local: {admins: [203.0.113.5/24]}',
    `${LIST}url: "ftp://example.org/"}]}`,
    'sources: {asns: [4134]}',
    'sources: {countries: {block: [cn, CN]}}',
    'geo: {asn: "ftp://example.org/"}',
    '{geo: {asn: a}, sources: {asns: [AS9999999999]}}',
  ])('%s', (text) => {
    expect({ loader: loaderTakes(text), editor: editorTakes(text) }).toEqual({ loader: false, editor: true });
  });
});

test('the published file is this schema', async () => {
  const text = await readFile(new URL('../../dist/config.schema.json', import.meta.url), 'utf8');
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
});

test('every key of it has a description or leads to one', () => {
  const bare: string[] = [];
  const visit = (node: unknown, name: string): void => {
    if (node === null || typeof node !== 'object') return;
    const { properties, items, anyOf, description } = node as Record<string, unknown>;
    const inner = [...(Array.isArray(anyOf) ? anyOf : []), items].filter((each) => each !== undefined);
    if (properties === undefined && inner.length === 0 && description === undefined) bare.push(name);
    for (const each of inner) if (description === undefined) visit(each, name);
    for (const [key, value] of Object.entries(properties ?? {})) visit(value, `${name}.${key}`);
  };
  visit(configJsonSchema(), '');
  expect(bare).toEqual([]);
});
