import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { cronText } from '../../src/setup/cron.js';
import { marked, originOf } from '../../src/setup/marker.js';
import { commandLine } from '../../src/setup/unit-text.js';
import { units } from '../../src/setup/units.js';
import { writtenFiles } from '../../src/setup/written-files.js';

const PROGRAM = ['/usr/local/bin/blocklist'];
const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
const textOf = (name: string) => units(PROGRAM).find((unit) => unit.name === name)?.text ?? '';
const valuesOf = (name: string, key: string) =>
  textOf(name)
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));

describe('examples are what install writes', () => {
  const PLACES: ReadonlyArray<readonly [part: string, name: string]> = [
    ['/cron.d/', 'cron/blocklist'],
    ['/sysusers.d/', 'systemd/sysusers.conf'],
    ['/action.d/', 'fail2ban/action.d/blocklist.conf'],
    ['-fail2ban.py', 'fail2ban/blocklist-copy-fail2ban.py'],
  ];
  const nameOf = (path: string) => PLACES.find(([part]) => path.includes(part))?.[1] ?? `systemd/${basename(path)}`;

  test.each([...writtenFiles('systemd', PROGRAM), ...writtenFiles('cron', PROGRAM)])('$path', ({ path, text }) => {
    expect(readFileSync(`${EXAMPLES}${nameOf(path)}`, 'utf8')).toBe(text);
    expect(originOf(text)).toBe('ours');
  });

  test('and nothing else', () => {
    const names = writtenFiles('systemd', PROGRAM).map(({ path }) => nameOf(path));
    const written = names.filter((name) => name.startsWith('systemd/')).map((name) => basename(name));
    expect(readdirSync(`${EXAMPLES}systemd`).sort()).toEqual(written.sort());
  });
});

describe('the boot unit', () => {
  const boot = 'blocklist-boot.service';

  test.each([
    ['DefaultDependencies', ['no']],
    ['Wants', ['network-pre.target']],
    ['Before', ['network-pre.target shutdown.target']],
    ['After', ['nftables.service firewalld.service ufw.service netfilter-persistent.service']],
    ['PartOf', ['nftables.service']],
    ['ReloadPropagatedFrom', ['nftables.service']],
    ['RequiresMountsFor', ['/var/lib/blocklist/boot /usr']],
    ['ConditionPathIsSymbolicLink', ['/var/lib/blocklist/boot/rules']],
    ['ConditionPathExists', ['!/var/lib/blocklist/unloaded']],
    ['RemainAfterExit', ['yes']],
    ['WantedBy', ['sysinit.target']],
    ['OnFailure', ['blocklist-failed@%n.service']],
  ])('%s', (key, values) => {
    expect(valuesOf(boot, key)).toEqual(values);
  });

  test('needs neither this program nor a shell; checks all before it loads anything; reloads as it starts', () => {
    const [checks, loads] = [valuesOf(boot, 'ExecStartPre'), valuesOf(boot, 'ExecStart')];
    const programs = [...checks, ...loads].map((line) => line.split(' ')[0]);
    expect(programs).toEqual(['/usr/bin/env', '/usr/bin/env', '/usr/sbin/nft', '/usr/sbin/nft']);
    expect(checks.every((line) => line.includes(' /usr/bin/sha256sum --check '))).toBe(true);
    expect(valuesOf(boot, 'ExecReload').slice(1)).toEqual([...checks, ...loads]);
    expect(valuesOf(boot, 'ExecReload')[0]).toBe('/usr/bin/test "!" -e /var/lib/blocklist/unloaded');
  });
});

describe('rights', () => {
  test('update has none, and only its own folders', () => {
    const update = 'blocklist-update.service';
    expect(valuesOf(update, 'User')).toEqual(['blocklist']);
    expect(valuesOf(update, 'CapabilityBoundingSet')).toEqual(['']);
    expect(valuesOf(update, 'ReadWritePaths')).toEqual(['/etc/blocklist/rules']);
    expect(valuesOf(update, 'StateDirectory')).toEqual(['blocklist/update']);
    expect(valuesOf(update, 'SuccessExitStatus')).toEqual(['3']);
    expect(valuesOf(update, 'OnSuccess')).toEqual(['blocklist-apply.service']);
  });

  test.each(['blocklist-apply.service', 'blocklist-stats.service', 'blocklist-boot.service'])(
    '%s has CAP_NET_ADMIN alone',
    (name) => {
      expect(valuesOf(name, 'CapabilityBoundingSet')).toEqual(['CAP_NET_ADMIN']);
      expect(valuesOf(name, 'User')).toEqual([]);
      expect(valuesOf(name, 'ProtectSystem')).toEqual(['strict']);
    },
  );

  test.each(units(PROGRAM).filter(({ name }) => name.endsWith('.service')))('$name runs no shell', ({ text }) => {
    expect(text).not.toMatch(/^Exec\w+=.*\b(sh|bash)\b/m);
  });
});

test('the nights of many hosts are spread, and a missed one is made up for', () => {
  expect(valuesOf('blocklist.timer', 'RandomizedDelaySec')).toEqual(['45min']);
  expect(valuesOf('blocklist.timer', 'Persistent')).toEqual(['yes']);
  expect(valuesOf('blocklist.timer', 'Unit')).toEqual(['blocklist-update.service']);
});

test.each([
  [['/usr/bin/node', '/usr/lib/x/cli.js'], '/usr/bin/node /usr/lib/x/cli.js'],
  [['/opt/my tools/blocklist'], '"/opt/my tools/blocklist"'],
  [['/opt/100%/$x'], '/opt/100%%/$$x'],
  [['/a"b\\c'], '"/a\\"b\\\\c"'],
])('command line of systemd: %j', (argv, expected) => {
  expect(commandLine(argv)).toBe(expected);
});

test('command line of cron: quoted for sh, a percent sign escaped', () => {
  expect(cronText(["/opt/it's 100%/blocklist"])).toContain(" '/opt/it'\\''s 100\\%/blocklist' update ");
});

test.each([
  [undefined, 'absent'],
  [marked('a\n'), 'ours'],
  [`${marked('a\n')}b\n`, 'edited'],
  [marked('a\n').replace('a\n', 'b\n'), 'edited'],
  ['[Unit]\n', 'foreign'],
  ['', 'foreign'],
])('origin of %j is %s', (text, origin) => {
  expect(originOf(text)).toBe(origin);
});
