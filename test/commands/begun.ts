import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { tempFolder } from '../io/temp.js';
import { type Answer, openServer, type TestServer } from '../sources/server.js';

/** A project that has last good of what its server sent at first. */
export interface Begun {
  readonly server: TestServer;
  readonly folder: string;
}

/** Makes a project for the address of its server, and does the first update. */
type Begin = (origin: string) => Promise<string>;

/**
 * Projects with last good for the tests of one file: the first update of each kind is done once, by the first test that asks for it, since
 * every start of the program counts. Each test gets a copy of the folder; a server that a test stops must be of a kind of its own.
 */
export function begunProjects(): (kind: string, first: Answer, begin: Begin) => Promise<Begun> {
  const kinds = new Map<string, Promise<Begun>>();
  afterAll(async () => {
    for (const begun of await Promise.allSettled(kinds.values())) {
      if (begun.status === 'rejected') continue;
      await begun.value.server.stop();
      await rm(begun.value.folder, { recursive: true, force: true });
    }
  });
  return async (kind, first, begin) => {
    const made = kinds.get(kind) ?? begunOnce(first, begin);
    kinds.set(kind, made);
    const { server, folder: template } = await made;
    const folder = await tempFolder();
    await cp(template, folder, { recursive: true, preserveTimestamps: true });
    return { server, folder };
  };
}

async function begunOnce(first: Answer, begin: Begin): Promise<Begun> {
  const server = await openServer(first);
  const folder = await mkdtemp(join(tmpdir(), 'blocklist-begun-'));
  // What `begin` made goes away with the test that came first.
  await cp(await begin(server.origin), folder, { recursive: true, preserveTimestamps: true });
  return { server, folder };
}
