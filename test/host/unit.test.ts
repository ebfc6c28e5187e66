import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unitOf } from '../../src/host/unit.js';

const USER = '/user.slice/user-1000.slice';

describe('the unit in /proc/PID/cgroup', () => {
  test.each<[path: string, name: string | undefined, user: number | undefined]>([
    ['/system.slice/ssh.service', 'ssh.service', undefined],
    ['/system.slice/system-getty.slice/getty@tty1.service', 'getty@tty1.service', undefined],
    ['/system.slice/docker.service/inner/init.scope', 'docker.service', undefined],
    ['/system.slice/docker-0a1b.scope', 'docker-0a1b.scope', undefined],
    ['/system.slice/foo\\x2dbar.service', 'foo\\x2dbar.service', undefined],
    ['/init.scope', 'init.scope', undefined],
    [`${USER}/session-3.scope`, 'session-3.scope', undefined],
    [`${USER}/user@1000.service/app.slice/app-web.service`, 'app-web.service', 1000],
    [`${USER}/user@1000.service/init.scope`, 'init.scope', 1000],
    [`${USER}/user@1000.service`, 'user@1000.service', undefined],
    ['/', undefined, undefined],
    ['/machine/qemu', undefined, undefined],
    ['/system.slice', undefined, undefined],
    // A user may make such a group below his own.
    [`${USER}/user@1000.service/x; rm -rf ~;.service`, 'user@1000.service', undefined],
    ["/a'b.service", undefined, undefined],
    [`/${'a'.repeat(300)}.service`, undefined, undefined],
  ])('%s', (path, name, user) => {
    const expected = name === undefined ? undefined : { name, user };
    expect(unitOf(`0::${path}\n`)).toEqual(expected);
    // Before the unified hierarchy, and beside it.
    expect(unitOf(`12:pids:/other.service\n1:name=systemd:${path}\n0::/\n`)).toEqual(expected);
  });

  test('other controllers do not count', () => expect(unitOf('5:devices:/system.slice/a.service\n')).toBeUndefined());

  test('whatever a group is called, a name holds nothing that a shell minds but the backslash', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const name = unitOf(`0::/system.slice/${text}.service`)?.name ?? 'none';
        expect(name).toMatch(/^[\w:.@\\-]+$/);
      }),
    );
  });
});
