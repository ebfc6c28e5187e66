import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readManifest } from '../../src/apply/artefact-store.js';
import { allowedIn } from '../../src/render/manifest.js';
import { certificate } from '../sources/certificate.js';
import { testProxy } from '../sources/proxy.js';
import { testServer } from '../sources/server.js';
import { systemTest } from '../system/requirements.js';
import { blocklist, projectWith } from './cli.js';

/** The mirror: what each address of the profile gives, from the fixtures of the catalogue. */
const MIRROR: Readonly<Record<string, string>> = {
  'www.spamhaus.org/drop/drop_v4.json': 'spamhaus-drop-v4.txt',
  'www.spamhaus.org/drop/drop_v6.json': 'spamhaus-drop-v6.txt',
  'feeds.dshield.org/block.txt': 'dshield.txt',
  'rules.emergingthreats.net/blockrules/compromised-ips.txt': 'plain-v4-text-order.txt',
  'lists.blocklist.de/lists/ssh.txt': 'plain-both.txt',
  'lists.blocklist.de/lists/bruteforcelogin.txt': 'plain-v4.txt',
  'cinsscore.com/list/ci-badguys.txt': 'plain-v4.txt',
  'raw.githubusercontent.com/stamparm/ipsum/master/levels/4.txt': 'plain-v4.txt',
  'www.cloudflare.com/ips-v4/': 'cloudflare.txt',
  'www.cloudflare.com/ips-v6/': '2401:4c80::/32\n2a06:e480::/29\n2a0e:b107:17fe::/47\n',
};
const hosts = [...new Set(Object.keys(MIRROR).map((place) => place.split('/')[0] ?? ''))];
/** a fixture by its name, or the text itself */
const bodyOf = (name: string) =>
  name.includes('\n') ? name : readFileSync(new URL(`../fixtures/catalogue/${name}`, import.meta.url));

/** A project of the profile, whose feeds come over https through a proxy that knows the mirror alone. */
async function mirrored(yaml: string) {
  const { key, cert, file } = await certificate(hosts);
  const asked: string[] = [];
  const server = await testServer(
    (request, response) => {
      const place = `${request.headers.host}${request.url}`;
      asked.push(place);
      const name = MIRROR[place];
      if (name === undefined) return void response.writeHead(404).end();
      if (request.headers['if-none-match'] === '"1"') return void response.writeHead(304).end();
      response.writeHead(200, { etag: '"1"' }).end(bodyOf(name));
    },
    { key, cert },
  );
  const proxy = await testProxy(server, 'to any port');
  const folder = await projectWith(yaml);
  const env = { https_proxy: `http://127.0.0.1:${proxy.port}`, NODE_EXTRA_CA_CERTS: file };
  return { folder, asked, server, update: (...args: string[]) => blocklist(['update', ...args], { cwd: folder, env }) };
}

systemTest(
  'the profile server-basic: eight feeds from a mirror, over https, through a proxy',
  ['openssl'],
  async () => {
    const { folder, asked, server, update } = await mirrored('sources: {profile: server-basic}');
    const { status, stdout, stderr } = await update('--json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { sources } = JSON.parse(stdout) as { sources: { id: string; entries: number; data: string }[] };
    expect(sources.map(({ id, entries, data }) => [id, entries, data])).toEqual([
      ['spamhaus-drop-v4', 5, 'fresh'],
      ['spamhaus-drop-v6', 3, 'fresh'],
      ['dshield-block', 4, 'fresh'],
      ['et-compromised', 10, 'fresh'],
      ['blocklist-de-ssh', 10, 'fresh'],
      ['blocklist-de-bruteforcelogin', 12, 'fresh'],
      ['cins-army', 12, 'fresh'],
      ['ipsum-4', 12, 'fresh'],
    ]);
    const rules = (name: string) => readFile(join(folder, 'rules', name), 'utf8');
    expect(await rules('nets4.txt')).toBe(
      '1.10.16.0/20\n1.19.0.0/16\n2.56.192.0/22\n2.57.122.0/24\n5.134.128.0/19\n45.148.10.240/31\n' +
        '64.62.197.0/24\n80.94.95.0/24\n206.168.34.0/24\n223.254.0.0/16\n',
    );
    expect(await rules('nets6.txt')).toBe('2401:4c80::/32\n2a06:e480::/29\n2a0e:b107:17fe::/47\n');
    expect((await rules('nodes4.txt')).split('\n')).toHaveLength(25 + 1);
    expect((await rules('nodes6.txt')).split('\n')).toHaveLength(4 + 1);
    expect(asked.sort()).toEqual(
      Object.keys(MIRROR)
        .filter((place) => !place.includes('cloudflare'))
        .sort(),
    );
    expect(server.requests.every((headers) => /^blocklist\/\d+\.\d+\.\d+$/.test(headers['user-agent'] ?? ''))).toBe(
      true,
    );

    // The floors of the catalogue: nobody is asked again, and nothing is said.
    expect(await update('--quiet')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(asked).toHaveLength(8);
    const forced = await update('--force', '--json');
    expect(asked).toHaveLength(16);
    const again = JSON.parse(forced.stdout) as { sources: { data: string }[] };
    expect(again.sources.map(({ data }) => data)).toEqual(Array(8).fill('unchanged'));
  },
);

systemTest('an allow feed wins over every list, and a contact is sent where one is named', ['openssl'], async () => {
  const yaml =
    'sources: {feeds: [ipsum-4, spamhaus-drop-v6]}\nallow: {feeds: [cloudflare]}\nfetch: {contact: ops@example.org}';
  const { folder, server, update } = await mirrored(yaml);
  const { status } = await update('--quiet');
  expect(status).toBe(0);
  // The IPv6 half of the allow feed is, here, what the list wants to block.
  expect(await readFile(join(folder, 'rules', 'nets6.txt'), 'utf8')).toBe('');
  // A ban looks here, on every host that loads these rules.
  const [noted] = allowedIn((await readManifest(join(folder, 'rules'))) ?? {});
  expect([noted?.id, noted?.set.has('2401:4c80::1')]).toEqual(['cloudflare', true]);
  expect(server.requests[0]?.['user-agent']).toMatch(/^blocklist\/\d+\.\d+\.\d+ \(\+ops@example\.org\)$/);
});

systemTest(
  'an allow feed that covers a tenth of the internet is refused, and without last good nothing is rendered',
  ['openssl'],
  async () => {
    const folder = await mirrored(
      'sources: {feeds: [ipsum-4]}\nallow: {feeds: [cloudflare]}\nguards: {max-allow-coverage: 0.0001%}',
    );
    const { status, stderr } = await folder.update('--quiet');
    expect(status).toBe(4);
    expect(stderr).toContain('the allow feed cloudflare cannot be read: it would allow');
    expect(stderr).toContain('nothing was changed');
    await expect(readFile(join(folder.folder, 'rules', 'manifest.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  },
);
