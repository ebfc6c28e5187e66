import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { FILE, messages, parsed, refused } from './parsed.js';

describe('one wrong value', () => {
  test.each<[text: string, message: string]>([
    // sources
    ['sources: 3\n', '1: sources: expected object, found 3'],
    ['sources:\n  feeds: ipsum-3\n', '2: sources.feeds: expected array, found "ipsum-3"'],
    [
      'sources:\n  feeds:\n    - ok\n    - Not_ok\n',
      '4: sources.feeds[1]: expected lower-case letters, digits and dashes, found "Not_ok"',
    ],
    ['sources:\n  feeds: [3]\n', '2: sources.feeds[0]: expected an id or a map with the key id, found 3'],
    [
      'sources:\n  feeds:\n    - id: a\n      direction: sideways\n',
      '4: sources.feeds[0].direction: expected one of in, out, both, found "sideways"',
    ],
    [
      'sources:\n  custom:\n    - id: -a\n      file: x\n',
      '3: sources.custom[0].id: expected lower-case letters, digits and dashes, found "-a"',
    ],
    ['sources:\n  custom: {id: a}\n', '2: sources.custom: expected array, found {"id":"a"}'],
    ['sources:\n  custom:\n    - id: a\n', '3: sources.custom[0]: expected a key file or url, found {"id":"a"}'],
    ['sources:\n  custom:\n    - id: a\n      file: 3\n', '4: sources.custom[0].file: expected string, found 3'],
    [
      'sources:\n  custom:\n    - id: a\n      url: ftp://example.org/\n',
      '4: sources.custom[0].url: expected an http:// or https:// address, found "ftp://example.org/"',
    ],
    [
      'sources:\n  custom:\n    - id: a\n      url: "http://"\n',
      '4: sources.custom[0].url: expected an http:// or https:// address, found "http://"',
    ],
    [
      'sources:\n  custom:\n    - id: a\n      file: x\n      direction: up\n',
      '5: sources.custom[0].direction: expected one of in, out, both, found "up"',
    ],
    [
      'sources:\n  custom:\n    - id: a\n      file: x\n      format: cvs\n',
      '5: sources.custom[0].format: expected one of plain, score, csv, json, ndjson, dshield, delegated, p2p, integer-range, keyword, rbldnsd, host-port, url, ripestat, found "cvs"',
    ],
    [
      'sources:\n  custom:\n    - id: a\n      file: x\n      format: score\n      min-score: 0\n',
      '6: sources.custom[0].min-score: expected at least 1, found 0',
    ],
    [
      'sources:\n  custom:\n    - id: a\n      file: x\n      max-bytes: 64MB\n',
      '5: sources.custom[0].max-bytes: expected number, found "64MB"',
    ],
    [
      'sources:\n  custom:\n    - id: a\n      url: http://example.org/\n      timeout: 601\n',
      '5: sources.custom[0].timeout: expected at most 600, found 601',
    ],
    ['sources:\n  countries: [cn]\n', '2: sources.countries: expected object, found ["cn"]'],
    [
      'sources:\n  countries:\n    block:\n      - cn\n      - chn\n',
      '5: sources.countries.block[1]: expected a two-letter country code (ISO 3166-1) like cn, or a continent like europe, found "chn"',
    ],
    [
      'sources:\n  countries:\n    block: [cn]\n    only: [de]\n',
      '4: sources.countries.only: expected either block or only, found ["de"]',
    ],
    [
      'sources:\n  countries:\n    ports: [22]\n',
      '3: sources.countries.ports: expected only beside it: ports limit what only forbids, found [22]',
    ],
    [
      'sources:\n  countries:\n    only: [de]\n    ports: [70000]\n',
      '4: sources.countries.ports[0]: expected at most 65535, found 70000',
    ],
    // allow, local
    ['allow:\n  files: allow.txt\n', '2: allow.files: expected array, found "allow.txt"'],
    ['allow:\n  files:\n    - 7\n', '3: allow.files[0]: expected string, found 7'],
    ['local:\n  admins: 192.0.2.1\n', '2: local.admins: expected array, found "192.0.2.1"'],
    ['local:\n  admins:\n    - 3232235777\n', '3: local.admins[0]: expected string, found 3232235777'],
    // guards
    ['guards:\n  max-prefix-v4: 0\n', '2: guards.max-prefix-v4: expected at least 1, found 0'],
    ['guards:\n  max-prefix-v4: 33\n', '2: guards.max-prefix-v4: expected at most 32, found 33'],
    ['guards:\n  max-prefix-v4: 8.5\n', '2: guards.max-prefix-v4: expected int, found 8.5'],
    ['guards:\n  max-prefix-v6: 129\n', '2: guards.max-prefix-v6: expected at most 128, found 129'],
    ['guards:\n  max-rejects: 0.05\n', '2: guards.max-rejects: expected string, found 0.05'],
    ['guards:\n  max-coverage: "25"\n', '2: guards.max-coverage: expected a share like 25%, found "25"'],
    [
      'guards:\n  max-country-coverage: -1%\n',
      '2: guards.max-country-coverage: expected a share like 25%, found "-1%"',
    ],
    // paths
    ['paths: rules\n', '1: paths: expected object, found "rules"'],
    ['paths:\n  rules: 3\n', '2: paths.rules: expected string, found 3'],
    ['paths:\n  cache: [a]\n', '2: paths.cache: expected string, found ["a"]'],
    ['paths:\n  state: {}\n', '2: paths.state: expected string, found {}'],
    // the file as a whole
    ['- a\n', '1: the file: expected object, found ["a"]'],
    ['just words\n', '1: the file: expected object, found "just words"'],
  ])('%j', (text, message) => {
    expect(messages(text)).toEqual([message]);
    expect(refused(text)).toMatchObject({
      code: 'config-invalid',
      where: `${FILE}:${message.split(':')[0]}`,
      exitStatus: 2,
    });
  });
});

describe('unknown keys', () => {
  test.each<[text: string, message: string]>([
    ['sorces: {}\n', "1: unknown key sorces, did you mean 'sources'?"],
    ['allow: {}\n\nguard: {}\n', "3: unknown key guard, did you mean 'guards'?"],
    [
      'banana: {}\n',
      '1: unknown key banana; known here: sources, allow, fetch, local, policy, geo, guards, logins, notify, paths',
    ],
    ['sources:\n  feds: []\n', "2: unknown key sources.feds, did you mean 'feeds'?"],
    ['sources:\n  contries: {}\n', "2: unknown key sources.contries, did you mean 'countries'?"],
    ['sources:\n  countries:\n    blok: []\n', "3: unknown key sources.countries.blok, did you mean 'block'?"],
    [
      'sources:\n  feeds:\n    - id: a\n      directon: in\n',
      "4: unknown key sources.feeds[0].directon, did you mean 'direction'?",
    ],
    [
      'sources:\n  custom:\n    - id: a\n      file: x\n      formt: plain\n',
      "5: unknown key sources.custom[0].formt, did you mean 'format'?",
    ],
    [
      'sources:\n  custom:\n    - id: a\n      url: http://example.org/\n      timout: 3\n',
      "5: unknown key sources.custom[0].timout, did you mean 'timeout'?",
    ],
    ['allow:\n  fils: []\n', "2: unknown key allow.fils, did you mean 'files'?"],
    ['local:\n  admin: []\n', "2: unknown key local.admin, did you mean 'admins'?"],
    ['guards:\n  max-prefix-v: 8\n', "2: unknown key guards.max-prefix-v, did you mean 'max-prefix-v4'?"],
    ['paths:\n  rule: x\n', "2: unknown key paths.rule, did you mean 'rules'?"],
    ['sources:\r\n  feds: []\r\n', "2: unknown key sources.feds, did you mean 'feeds'?"],
    ['{"allow": {},\n "pahts": {}}\n', "2: unknown key pahts, did you mean 'paths'?"],
    [
      '__proto__: {}\n',
      '1: unknown key __proto__; known here: sources, allow, fetch, local, policy, geo, guards, logins, notify, paths',
    ],
  ])('%j', (text, message) => {
    expect(messages(text)).toEqual([message]);
    expect(refused(text).code).toBe('config-invalid');
  });
});

describe('admins that are refused', () => {
  test.each<[text: string, why: string]>([
    [
      '010.0.0.1',
      '"010.0.0.1" is not an address or a CIDR block: not an address (other programs read it as 8.0.0.1: write that, or what you meant)',
    ],
    [
      '1.2.3',
      '"1.2.3" is not an address or a CIDR block: not an address (other programs read it as 1.2.0.3: write that, or what you meant)',
    ],
    [
      '203.0.113.5/24',
      '203.0.113.5/24 has host bits set: as a block it covers 203.0.113.0 to 203.0.113.255; write 203.0.113.0/24 for the block or 203.0.113.5 for one address',
    ],
    ['fe80::1%eth0', '"fe80::1%eth0" is not an address or a CIDR block: has a zone'],
    ['192.0.2.1-192.0.2.9', '"192.0.2.1-192.0.2.9" is not an address or a CIDR block: it is a range'],
  ])('%s', (text, why) => {
    expect(messages(`local:\n  admins:\n    - "${text}"\n`)).toEqual([`3: local.admins[0]: ${why}, found "${text}"`]);
  });

  test.each([
    '2001:db8::1/32',
    '192.0.2.0/33',
    '',
    ' 192.0.2.1',
    'example.org',
    '192.0.2.1/',
    '0x7f.1',
    '::/129',
    '256.1.1.1',
  ])('%j', (text) => {
    expect(refused(`local:\n  admins:\n    - "${text}"\n`)).toMatchObject({
      code: 'config-invalid',
      where: `${FILE}:3`,
    });
  });
});

describe('ids', () => {
  test.each<[what: string, text: string, message: string]>([
    [
      'twice among the feeds',
      'sources:\n  feeds:\n    - a\n    - b\n    - a\n',
      '5: sources.feeds[2]: expected another id: a is taken, found "a"',
    ],
    [
      'as text and as map',
      'sources:\n  feeds:\n    - a\n    - {id: a}\n',
      '4: sources.feeds[1]: expected another id: a is taken, found {"id":"a"}',
    ],
    [
      'among the feeds and the lists of your own',
      'sources:\n  feeds: [a]\n  custom:\n    - {id: a, file: x}\n',
      '4: sources.custom[0]: expected another id: a is taken, found {"id":"a","file":"x"}',
    ],
    [
      'twice among the lists of your own',
      'sources:\n  custom:\n    - {id: a, file: x}\n    - {id: a, file: y}\n',
      '4: sources.custom[1]: expected another id: a is taken, found {"id":"a","file":"y"}',
    ],
  ])('taken %s', (_, text, message) => {
    expect(messages(text)).toEqual([message]);
  });

  test.each(['a', '0', 'a-b', 'a1', 'x'.repeat(63)])('%s can be one', (id) => {
    expect(parsed(`sources: {feeds: ["${id}"]}`).sources.feeds).toEqual([id]);
  });

  test.each(['', '-a', '.', '..', 'a/b', '../a', 'a b', 'A', 'a_b', 'a.b', 'é', 'x'.repeat(64)])('%j cannot', (id) => {
    expect(refused(`sources: {feeds: ["${id}"]}`).code).toBe('config-invalid');
  });
});

describe('what is not YAML', () => {
  test.each<[text: string, line: number]>([
    ['sources:\n\tfeeds: []\n', 2],
    ['allow: {}\nlocal: {}\nallow: {}\n', 3],
    ['allow: {\n\n\n', 4],
    ['paths:\n  rules: "a\n\nguards: {}\n', 5],
    ['sources:\n  feeds: [a\nallow: {}\n', 3],
    ['allow: {}\n---\nallow: {}\n', 2],
    ['allow: @x\n', 1],
  ])('%j', (text, line) => {
    const problem = refused(text);
    expect(problem).toMatchObject({
      code: 'config-syntax',
      where: `${FILE}:${line}`,
      hint: 'the file is YAML: check indentation, colons and quotes on that line',
      exitStatus: 2,
    });
    expect(problem.message.startsWith(`${FILE}:${line}: `)).toBe(true);
    expect(problem.message).not.toContain('\n');
  });
});

test('many mistakes are told at once, in the order of their lines', async () => {
  const text = await readFile(new URL('../fixtures/config/many-mistakes.yaml', import.meta.url), 'utf8');
  expect(messages(text)).toEqual([
    '4: sources.feeds[0]: expected lower-case letters, digits and dashes, found "Ipsum_3"',
    '6: sources.feeds[1].direction: expected one of in, out, both, found "inwards"',
    "10: unknown key sources.custom[0].formt, did you mean 'format'?",
    '12: sources.custom[1].url: expected an http:// or https:// address, found "ftp://example.org/b.txt"',
    '14: sources.countries.block[1]: expected a two-letter country code (ISO 3166-1) like cn, or a continent like europe, found "germany"',
    "16: unknown key allow.file, did you mean 'files'?",
    '20: local.admins[1]: "010.0.0.1" is not an address or a CIDR block: not an address (other programs read it as 8.0.0.1: write that, or what you meant), found "010.0.0.1"',
    '22: guards.max-prefix-v4: expected at most 32, found 33',
    '23: guards.max-rejects: expected string, found 5',
    '25: paths.rules: expected string, found ["a"]',
    "26: unknown key polcy, did you mean 'policy'?",
  ]);
  expect(refused(text).where).toBe(`${FILE}:4`);
});
