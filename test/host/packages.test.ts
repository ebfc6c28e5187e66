import { expect } from 'vitest';
import { packagesOf } from '../../src/host/packages.js';
import { systemTest } from '../system/requirements.js';

systemTest(
  'dpkg: by the path of today, whichever one the package has; a pattern is no path',
  ['dpkg-query'],
  async () => {
    const found = await packagesOf([
      ...[
        '/usr/bin/dash',
        '/bin/dash',
        '/usr/bin/perl',
        '/usr/bin/per[l]',
        '/usr/bin/*',
        '/usr/bin/per?',
        '/nonexistent',
      ],
      ...['usr/bin/perl', '/usr/bin/perl\n', '/usr/bin/\\perl', '/memfd:x'],
    ]);
    expect([...(found ?? [])].sort()).toEqual([
      ['/bin/dash', 'dash'],
      ['/usr/bin/dash', 'dash'],
      ['/usr/bin/perl', 'perl-base'],
    ]);
    expect(await packagesOf([])).toEqual(new Map());
  },
);
