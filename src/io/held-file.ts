import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unwritable } from './write.js';

/** In memory first; the others for systems without it. */
const FOLDERS = ['/dev/shm', '/run', tmpdir()];

/**
 * A file without a name that holds these bytes, as the input of a program: complete before the program starts. Through a pipe, a program whose feeder is
 * killed takes what it got until then for the whole.
 * @throws BlocklistError `file-unwritable`
 */
export async function heldFile(bytes: Uint8Array): Promise<FileHandle> {
  let problem: unknown;
  for (const folder of FOLDERS) {
    const path = join(folder, `.blocklist-${randomUUID()}`);
    try {
      const file = await open(path, 'wx+', 0o600);
      await rm(path);
      try {
        // At a position, so that the program reads from the start.
        for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at, at)).bytesWritten;
        return file;
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (cause) {
      problem ??= unwritable(folder, cause);
    }
  }
  throw problem;
}
