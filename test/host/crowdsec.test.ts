import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crowdsecHere } from '../../src/host/crowdsec.js';
import { tempFolder } from '../io/temp.js';

/** A machine with these files. */
async function machine(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await tempFolder();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

const CREDENTIALS = 'etc/crowdsec/local_api_credentials.yaml';
const BOUNCER = 'etc/crowdsec/bouncers/crowdsec-firewall-bouncer.yaml';
const CONFIG = 'etc/crowdsec/config.yaml';

test('where nothing of it is, nothing is found', async () => {
  expect(await crowdsecHere(await machine({}))).toBeUndefined();
  expect(await crowdsecHere(await machine({ 'etc/crowdsec': 'a file', 'proc/7/comm': 'crowd\n' }))).toBeUndefined();
});

test('by its programs: of a bouncer the kernel keeps 15 bytes of the name', async () => {
  const comms = { 'proc/7/comm': 'crowdsec\n', 'proc/8/comm': 'crowdsec-firewa\n', 'proc/9/comm': 'crowdsec\n' };
  const others = { 'proc/10/comm': 'crowdsecurity\n', 'proc/self/comm': 'crowdsec-x\n', 'proc/11/comm': 'nft\n' };
  expect(await crowdsecHere(await machine({ ...comms, ...others }))).toEqual({
    running: ['crowdsec', 'crowdsec-firewall-bouncer'],
    url: 'http://127.0.0.1:8080',
  });
});

describe('its local API, by its own files', () => {
  test.each<[files: Readonly<Record<string, string>>, url: string]>([
    [{ [CREDENTIALS]: 'url: http://10.0.0.7:8080/\nlogin: a\npassword: b\n' }, 'http://10.0.0.7:8080'],
    [{ [CREDENTIALS]: 'url: "https://lapi.example.org/crowdsec/"\n' }, 'https://lapi.example.org/crowdsec'],
    [
      { [CREDENTIALS]: 'url: http://127.0.0.1:8081 # here\n', [CONFIG]: listening('[::]:8080') },
      'http://127.0.0.1:8081',
    ],
    [{ [CREDENTIALS]: 'url: /run/crowdsec.sock\n', [CONFIG]: listening('127.0.0.1:9090') }, 'http://127.0.0.1:9090'],
    [{ [CREDENTIALS]: 'login: a\n', [BOUNCER]: 'api_url: http://10.0.0.8:8080/\n' }, 'http://10.0.0.8:8080'],
    [{ [CREDENTIALS]: 'url: http://u:secret@10.0.0.7:8080\n' }, 'http://10.0.0.7:8080'],
    [{ [CONFIG]: listening('0.0.0.0:8080') }, 'http://127.0.0.1:8080'],
    [{ [CONFIG]: listening('":8088"') }, 'http://127.0.0.1:8088'],
    [{ [CONFIG]: listening("'[::]:8089'") }, 'http://127.0.0.1:8089'],
    [{ [CONFIG]: listening('a b') }, 'http://127.0.0.1:8080'],
    [{ [CREDENTIALS]: 'url: ftp://10.0.0.7:21\n' }, 'http://127.0.0.1:8080'],
    [{ [CONFIG]: 'common: {}\n' }, 'http://127.0.0.1:8080'],
  ])('%j: %s', async (files, url) => {
    expect(await crowdsecHere(await machine(files))).toEqual({ running: [], url });
  });
});

function listening(listen: string): string {
  return `api:\n  client:\n    insecure_skip_verify: false\n  server:\n    listen_uri: ${listen}\n`;
}
