import { afterAll, beforeAll } from 'vitest';
import { FirewalldServer } from '../system/firewalld-server.js';
import { FIREWALLD_NEEDS } from '../system/firewalld-stage.js';
import { describeSystem, systemTest } from '../system/requirements.js';
import { runPage } from './page.js';

describeSystem('the page on firewalld', FIREWALLD_NEEDS, () => {
  let firewalld: FirewalldServer;
  beforeAll(async () => {
    firewalld = await FirewalldServer.create();
  });
  afterAll(() => firewalld.remove());

  systemTest(
    'every command prints what the page shows',
    [],
    () =>
      runPage('firewalld', {
        atLeast: 7,
        steady: (text) => text,
        // Who enters mounts is at their root.
        runIn: (argv, folder) => firewalld.host.run(['sh', '-c', 'cd "$0" && exec "$@"', folder, ...argv]),
      }),
    240_000,
  );
});
