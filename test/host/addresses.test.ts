import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { nameservers, resolvers } from '../../src/host/resolvers.js';
import { reachable } from '../../src/host/single.js';
import { formatPrefix, singleAddress } from '../../src/ip/index.js';
import { problemOf, tempFolder } from '../io/temp.js';

describe('one address as programs print it', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['fe80::1%a%b/c', 'fe80::1'],
    ['2001:DB8::1', '2001:db8::1'],
  ])('%s', (text, expected) => {
    const address = singleAddress(text);
    expect(address && formatPrefix(address)).toBe(expected);
  });

  test.each(['', '%eth0', '192.0.2.0/24', '192.0.2.*', '192.0.2.1-192.0.2.9', '010.0.0.1', '1.2.3', 'x'])(
    '%j is none',
    (text) => expect(singleAddress(text)).toBeUndefined(),
  );

  test('those that no list can hit are left out, equal ones too', () => {
    const texts = ['127.0.0.1', '::1', '169.254.1.1', 'fe80::1', '224.0.0.1', 'ff02::1', '0.0.0.0', '::', 'x'];
    expect(
      reachable([...texts, '10.0.0.1', '10.0.0.1', '::ffff:10.0.0.1', 'fd00::1', '0:0:0:0:0:0:a00:1']).map(
        formatPrefix,
      ),
    ).toEqual(['10.0.0.1', 'fd00::1', '::a00:1']);
  });
});

describe('resolv.conf', () => {
  test('odd lines are skipped', () => {
    const text = [
      '# nameserver 192.0.2.9',
      '; nameserver 192.0.2.9',
      'nameserver 192.0.2.1',
      'nameserver\t192.0.2.2  # second',
      'nameserver 192.0.2.3;third',
      ' nameserver 192.0.2.9',
      'nameservers 192.0.2.9',
      'nameserver',
      'nameserver \r',
      'nameserver fe80::1%eth0',
      'options edns0',
      '\0\x1b[2J',
    ].join('\n');
    expect(nameservers(text)).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3', 'fe80::1%eth0']);
  });

  async function files(main: string | undefined, upstream: string | undefined) {
    const folder = await tempFolder();
    if (main !== undefined) await writeFile(`${folder}/main`, main);
    if (upstream !== undefined) await writeFile(`${folder}/upstream`, upstream);
    return { main: `${folder}/main`, upstream: [`${folder}/none`, `${folder}/upstream`] };
  }
  const UPSTREAM = 'nameserver 192.0.2.53\nnameserver 127.0.0.1\nnameserver 2001:db8::53\n';

  test.each([
    ['real servers', 'nameserver 192.0.2.1\nnameserver ::1\n', UPSTREAM, ['192.0.2.1']],
    ['only a stub', 'nameserver 127.0.0.53\noptions edns0\n', UPSTREAM, ['192.0.2.53', '2001:db8::53']],
    ['a stub by IPv6', 'nameserver ::1\r\n', UPSTREAM, ['192.0.2.53', '2001:db8::53']],
    ['nothing: the C library asks this host', '', UPSTREAM, ['192.0.2.53', '2001:db8::53']],
    ['no file', undefined, UPSTREAM, ['192.0.2.53', '2001:db8::53']],
    ['only a stub and no systemd', 'nameserver 127.0.0.1\n', undefined, []],
    ['rubbish', 'nameserver example.org\nnameserver 1.2.3\n', undefined, []],
    ['no files at all', undefined, undefined, []],
  ])('%s', async (_, main, upstream, expected) => {
    expect((await resolvers(await files(main, upstream))).map(formatPrefix)).toEqual(expected);
  });

  test('a file that cannot be read is a failure, not none', async () => {
    const folder = await tempFolder();
    const problem = await problemOf(() => resolvers({ main: folder, upstream: [] }));
    expect(problem.code).toBe('file-unreadable');
  });
});
