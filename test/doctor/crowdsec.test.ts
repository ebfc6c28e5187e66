import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import { type CrowdsecFacts, crowdsec, judgeCrowdsec } from '../../src/doctor/crowdsec.js';
import { barrierTo, readerOf } from '../../src/doctor/reader.js';
import { BlocklistError } from '../../src/errors.js';
import { PLACE } from '../../src/setup/layout.js';
import { tempFolder } from '../io/temp.js';
import { systemTest } from '../system/requirements.js';
import { bench, hostIn } from './host.js';

const KEY = '/etc/blocklist/a.key';
const MACHINE = '/etc/blocklist/machine.yaml';

function entryOf(more = '', url = 'http://127.0.0.1:8080') {
  const yaml = `sources: {crowdsec: {url: "${url}", key-file: a.key${more}}}`;
  return parseConfig(yaml, PLACE.config).sources.crowdsec!;
}

const WELL = { key: undefined, credentials: undefined, answer: 'good' } as const;
const USED: CrowdsecFacts = {
  file: PLACE.config,
  here: undefined,
  used: { entry: entryOf(), trial: WELL },
  updater: 'blocklist',
  barriers: new Map(),
  hasAsnDatabase: false,
};
const denied = Object.assign(new Error('EACCES'), { code: 'EACCES' });
const gone = Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
const error = (message: string, hint: string, cause?: Error) =>
  new BlocklistError('file-unreadable', message, { hint, cause });

const told = (facts: CrowdsecFacts | undefined) =>
  judgeCrowdsec(facts, bench).map((each) => [each.id, each.state, each.what, 'fix' in each ? each.fix : undefined]);
const trying = (trial: Partial<CrowdsecFacts['used'] & object>['trial'], more = '', url?: string): CrowdsecFacts => ({
  ...USED,
  used: { entry: entryOf(more, url), trial: trial ?? WELL },
});
const PUSH = ', push: {credentials-file: machine.yaml}';

test('where all is well it says so', () => {
  expect(told(trying(WELL, PUSH))).toEqual([
    ['crowdsec-key', 'good', 'readable by blocklist, and not by everybody', undefined],
    ['crowdsec-push', 'good', 'readable by blocklist, and not by everybody', undefined],
    ['crowdsec', 'good', 'it answers to this key', undefined],
  ]);
});

test('without CrowdSec, and without a configuration, there is nothing to tell', () => {
  expect(told({ ...USED, used: undefined })).toEqual([]);
  expect(told({ ...USED, used: undefined, here: { running: [], url: 'http://127.0.0.1:8080' } })).toEqual([]);
  expect(told(undefined)).toEqual([]);
});

test('one that runs here and is no source is worth a remark, with the lines to paste', () => {
  const here = { running: ['crowdsec', 'crowdsec-firewall-bouncer'], url: 'http://127.0.0.1:8080' };
  expect(told({ ...USED, used: undefined, here })).toEqual([
    [
      'crowdsec',
      'note',
      'crowdsec and crowdsec-firewall-bouncer run here, but what CrowdSec decides is no source',
      'a key, where its local API runs: cscli bouncers add blocklist -o raw > /etc/blocklist/crowdsec.key; chmod 640 /etc/blocklist/crowdsec.key; ' +
        `and in ${PLACE.config}: sources: {crowdsec: {url: "http://127.0.0.1:8080", key-file: crowdsec.key}}`,
    ],
  ]);
});

describe('what is wrong, and what to do', () => {
  test.each<[what: string, facts: CrowdsecFacts, id: string, state: string, text: string, fix: string]>([
    [
      'no key',
      trying({ ...WELL, key: error('x', 'y', gone), answer: 'not asked' }),
      'crowdsec-key',
      'problem',
      'is named and not there',
      `cscli bouncers add blocklist -o raw > ${KEY}; chmod 640 ${KEY}`,
    ],
    [
      'no credentials',
      trying({ ...WELL, credentials: error('x', 'y', gone) }, PUSH),
      'crowdsec-push',
      'problem',
      'is named and not there',
      `cscli machines add blocklist --auto --file ${MACHINE}`,
    ],
    [
      'a key open to all',
      trying({ ...WELL, key: error('everybody may read it', `chmod o= ${KEY}`), answer: 'not asked' }),
      'crowdsec-key',
      'problem',
      'everybody may read it',
      `chmod o= ${KEY}`,
    ],
    [
      'a key that this user may not see',
      trying({ ...WELL, key: error('no', 'y', denied), answer: 'not asked' }),
      'crowdsec-key',
      'unknown',
      'may not be read by this user',
      'sudo blocklist doctor',
    ],
    [
      'a key that the updater, who is this user, may not see',
      { ...trying({ ...WELL, key: error('cannot read it', 'run as another', denied) }), updater: undefined },
      'crowdsec-key',
      'problem',
      'cannot read it',
      'run as another',
    ],
    [
      'a key of root alone',
      { ...USED, barriers: new Map([[KEY, KEY]]) },
      'crowdsec-key',
      'problem',
      'blocklist, who updates every night, may not read',
      `chgrp blocklist ${KEY}; chmod 640 ${KEY}`,
    ],
    [
      'a folder of root alone',
      { ...USED, barriers: new Map([[KEY, '/etc/blocklist']]) },
      'crowdsec-key',
      'problem',
      '/etc/blocklist keeps it out',
      'chmod a+x /etc/blocklist',
    ],
    [
      'a refusal',
      trying({ ...WELL, answer: error('the server answered 403', 'make one with cscli bouncers add') }),
      'crowdsec',
      'problem',
      'the server answered 403',
      'cscli bouncers add',
    ],
    [
      'plain text',
      trying(WELL, '', 'http://lapi.example.org:8080'),
      'crowdsec',
      'note',
      'goes to lapi.example.org:8080 as plain text',
      'https://',
    ],
    [
      'as without a database',
      trying(WELL, ', scopes: [ip, as]'),
      'crowdsec-scopes',
      'note',
      'such decisions do not block',
      'geo: {asn: FILE}',
    ],
  ])('%s', (_, facts, id, state, text, fix) => {
    expect(told(facts)).toContainEqual([id, state, expect.stringContaining(text), expect.stringContaining(fix)]);
  });

  test('what cannot be asked for want of a key is told once; https and a database are no finding', () => {
    expect(told(trying({ ...WELL, key: error('x', 'y'), answer: 'not asked' })).map(([id]) => id)).toEqual([
      'crowdsec-key',
    ]);
    expect(told(trying(WELL, '', 'https://lapi.example.org')).map(([, state]) => state)).toEqual(['good', 'good']);
    const known = { ...trying(WELL, ', scopes: [as]'), hasAsnDatabase: true };
    expect(told(known).map(([id]) => id)).toEqual(['crowdsec-key', 'crowdsec']);
  });
});

/** A machine with these files. */
async function machine(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await tempFolder();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

const ACCOUNTS = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nblocklist:x:997:996::/var/lib/blocklist:/usr/sbin/nologin\n',
  'etc/group': 'root:x:0:\nadm:x:4:syslog,blocklist\nblocklist:x:996:\nnot:x:5:xblocklist\n',
};

describe('who may read a file', () => {
  test('an account has its own group and those that it was added to', async () => {
    const root = await machine(ACCOUNTS);
    expect(await readerOf(root, 'blocklist')).toEqual({ name: 'blocklist', uid: 997, gids: [996, 4] });
    expect(await readerOf(root, 'nobody')).toBeUndefined();
  });

  systemTest('owner, group or others decide, in this order, and every folder above', ['root'], async () => {
    const { chown } = await import('node:fs/promises');
    const folder = await tempFolder();
    const [inside, file] = [join(folder, 'a'), join(folder, 'a/key')];
    await chmod(folder, 0o711);
    await mkdir(inside);
    await writeFile(file, 'k\n');
    await symlink(file, join(folder, 'link'));
    const reader = { name: 'blocklist', uid: 997, gids: [996, 4] };
    const barrier = async (mode: number, [uid, gid]: readonly [number, number], path = file) => {
      await chmod(file, mode);
      await chown(file, uid, gid);
      return barrierTo(path, reader);
    };
    expect(await barrier(0o640, [0, 996])).toBeUndefined();
    expect(await barrier(0o640, [0, 4])).toBeUndefined();
    expect(await barrier(0o640, [0, 0])).toBe(file);
    expect(await barrier(0o600, [997, 0])).toBeUndefined();
    expect(await barrier(0o604, [0, 996])).toBe(file);
    expect(await barrier(0o044, [997, 996])).toBe(file);
    expect(await barrier(0o604, [0, 0])).toBeUndefined();
    expect(await barrier(0o640, [0, 0], join(folder, 'link'))).toBe(join(folder, 'link'));
    expect(await barrier(0o613, [0, 0])).toBe(file);
    for (const mode of [0o700, 0o704]) {
      await chmod(inside, mode);
      expect(await barrier(0o644, [0, 0])).toBe(inside);
    }
    expect(await barrierTo(file, { ...reader, uid: 0 })).toBeUndefined();
    expect(await barrierTo(join(folder, 'none'), reader)).toBeUndefined();
  });
});

describe('the examination', () => {
  test('looks for programs only where CrowdSec is no source', async () => {
    const root = await machine({ 'proc/7/comm': 'crowdsec\n' });
    expect(await crowdsec.examine(hostIn(root))).toMatchObject([{ id: 'crowdsec', state: 'note' }]);
    const used = 'sources: {crowdsec: {url: "http://127.0.0.1:8080", key-file: a.key}}';
    const config = parseConfig(used, join(root, 'project/blocklist.yaml'));
    expect(await crowdsec.examine(hostIn(root, { config }))).toMatchObject([
      { id: 'crowdsec-key', state: 'good' },
      { id: 'crowdsec', state: 'good' },
    ]);
    const missing = new BlocklistError('config-missing', 'none');
    expect(await crowdsec.examine(hostIn(root, { config: missing }))).toEqual([]);
  });

  systemTest('the nightly user is asked about only with the configuration of the units', ['root'], async () => {
    const root = await machine(ACCOUNTS);
    const key = join(root, 'a.key');
    await writeFile(key, 'k\n', { mode: 0o600 });
    const used = `sources: {crowdsec: {url: "http://127.0.0.1:8080", key-file: ${key}}}`;
    const state = async (file: string) =>
      (await crowdsec.examine(hostIn(root, { config: parseConfig(used, file) })))[0]?.state;
    expect(await state(PLACE.config)).toBe('problem');
    expect(await state(join(root, 'blocklist.yaml'))).toBe('good');
  });
});
