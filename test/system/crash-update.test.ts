import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CrashProject, describeCrashes, NEW, OLD, testCrashes } from './crash.js';

/** The same for an update whose server has a newer list, with validators as most servers send them. */
await describeCrashes('crashes of update', () => {
  const counts = { fsync: 0, rename: 0 };
  let project: CrashProject;
  let server: Server;
  let list = OLD.list;

  beforeAll(async () => {
    server = createServer(({ headers }, response) => {
      const etag = `"${list === OLD.list ? 'old' : 'new'}"`;
      const isKnown = headers['if-none-match'] === etag;
      response.writeHead(isKnown ? 304 : 200, { etag });
      response.end(isKnown ? '' : list);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const has = (text: string) => async () => {
      list = text;
    };
    project = await CrashProject.create('update', `url: "http://127.0.0.1:${port}/a"`, has(OLD.list), has(NEW.list));
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  test('the calls are found: each file is synced, then renamed', async () => {
    await project.restore();
    expect(await project.artefact()).toBe('old');
    expect((await project.traced()).status).toBe(0);
    Object.assign(counts, await project.counted());
    // As for a build, and the log of what was asked.
    expect(counts).toEqual({ fsync: 13, rename: 19 });
    await project.requireRecovery();
  });

  testCrashes(() => project, counts);
});
