import type { LookupAddress, LookupOptions } from 'node:dns';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { BlocklistError } from '../../src/errors.js';
import { addressOf, isPublic, privateTarget, publicLookup } from '../../src/io/http-target.js';

type Answer = (error: Error | null, found?: LookupAddress[]) => void;
const asked: [hostname: string, options: LookupOptions][] = [];
let answer: [error: Error | null, found?: LookupAddress[]] = [null, []];

vi.mock('node:dns', () => ({
  lookup: (hostname: string, options: LookupOptions, callback: Answer) => {
    asked.push([hostname, options]);
    callback(...answer);
  },
}));

beforeEach(() => {
  asked.length = 0;
});

describe('isPublic', () => {
  test.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00::1',
    '64:ff9b::808:808',
    '::ffff:8.8.8.8',
    '2002:808:808::1',
  ])('%s is', (address) => {
    expect(isPublic(address)).toBe(true);
  });

  test.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
    '::FFFF:A9FE:A9FE',
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    '2002:7f00:1::1',
    '2002:a00:1::',
    '2001:0:4136:e378::1',
    '2001:db8::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fe80::1%1',
    'febf:ffff::1',
    'fec0::1',
    'ff02::1',
    'ff02::1%lo',
  ])('%s is not', (address) => {
    expect(isPublic(address)).toBe(false);
  });
});

describe('addressOf', () => {
  test.each<[url: string, address: string]>([
    ['http://192.0.2.1/list', '192.0.2.1'],
    ['http://user:pass@192.0.2.1:8080/', '192.0.2.1'],
    ['http://[2001:db8::1]:8080/', '2001:db8::1'],
    ['http://[::ffff:10.0.0.1]/', '::ffff:a00:1'],
    ['https://127.1/', '127.0.0.1'],
    ['https://0x7f.1/', '127.0.0.1'],
    ['https://0177.0.0.1/', '127.0.0.1'],
    ['https://2130706433/', '127.0.0.1'],
    ['https://127.0.0.1./', '127.0.0.1'],
    ['https://１２７.0.0.1/', '127.0.0.1'],
    ['https://%31%32%37.0.0.1/', '127.0.0.1'],
  ])('%s', (url, address) => {
    expect(addressOf(new URL(url))).toBe(address);
    expect(isPublic(address)).toBe(false);
  });

  test.each([
    'http://example.org/',
    'http://localhost/',
    'http://192.0.2.1.example.org/',
    'http://example.org/192.0.2.1',
    'http://192.0.2.1@example.org/',
    'http://example.org:80/?192.0.2.1',
    'http://xn--bcher-kva.example/',
  ])('%s is a name', (url) => {
    expect(addressOf(new URL(url))).toBeUndefined();
  });
});

/** What the connecting code gets. */
function looked(
  hostname: string,
  options: LookupOptions,
): Promise<{ error: unknown; address: unknown; family?: unknown }> {
  return new Promise((resolve) => {
    publicLookup(hostname, options, (error, address, family) => resolve({ error, address, family }));
  });
}

const GOOD4 = { address: '1.1.1.1', family: 4 };
const GOOD6 = { address: '2606:4700::1111', family: 6 };
const BAD4 = { address: '10.0.0.1', family: 4 };
const BAD6 = { address: 'fe80::1%eth0', family: 6 };

describe('publicLookup', () => {
  test('asks for all addresses, with the options that it was given', async () => {
    answer = [null, [GOOD4]];
    await looked('example.org', { family: 4, hints: 32, all: false });
    expect(asked).toEqual([['example.org', { family: 4, hints: 32, all: true }]]);
  });

  test.each<[what: string, found: LookupAddress[], usable: LookupAddress[]]>([
    ['public ones', [GOOD6, GOOD4], [GOOD6, GOOD4]],
    ['a private one among them', [BAD4, GOOD4, BAD6, GOOD6], [GOOD4, GOOD6]],
  ])('%s', async (_, found, usable) => {
    answer = [null, found];
    expect(await looked('example.org', { all: true })).toMatchObject({ error: null, address: usable });
    const [first] = usable;
    expect(await looked('example.org', {})).toEqual({ error: null, ...first });
  });

  test.each<[what: string, all: boolean]>([
    ['one is asked for', false],
    ['all are asked for', true],
  ])('only private ones fail, when %s', async (_, all) => {
    answer = [null, [BAD6, BAD4]];
    const { error, address } = await looked('rebind.example', { all });
    expect(error).toBeInstanceOf(BlocklistError);
    expect(error).toMatchObject({ code: 'http-refused', where: 'rebind.example' });
    expect((error as BlocklistError).message).toContain('rebind.example, which is fe80::1%eth0');
    expect(JSON.stringify(address)).not.toContain('10.0.0.1');
  });

  test('an error of the resolver comes through', async () => {
    const lost = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    answer = [lost];
    expect((await looked('nowhere.example', {})).error).toBe(lost);
  });

  test('an answer without addresses does not look like success', async () => {
    answer = [null, []];
    expect((await looked('empty.example', {})).error).toBeInstanceOf(Error);
  });
});

test('a private target is told by its name and its address', () => {
  expect(privateTarget('a.example', '10.0.0.1', 'https://a.example/x')).toMatchObject({
    code: 'http-refused',
    message: 'refused to ask a.example, which is 10.0.0.1: not an address of the public internet',
    where: 'https://a.example/x',
    exitStatus: 5,
  });
  expect(privateTarget('10.0.0.1', '10.0.0.1', 'x').message).toBe(
    'refused to ask 10.0.0.1: not an address of the public internet',
  );
});
