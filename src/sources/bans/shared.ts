import { stat } from 'node:fs/promises';
import { openBody } from '../../io/archive.js';
import { readRegular } from '../../io/read.js';
import type { Fetcher, ListRequest } from '../fetcher.js';
import { refuseHtml } from '../guards.js';
import { readBanLines } from './ban-lines.js';
import type { BanReader, BansRead } from './contract.js';

/** Above any real number of bans: some hundred thousand. */
const CAP = 1 << 26;

/** Bans that another host exported into a file here. */
export function bansOfFile(id: string, path: string): BanReader {
  return {
    id,
    place: 'here',
    origin: path,
    read: async () => {
      const read = await readBody(await readRegular(path, CAP), path);
      // A file that is copied here every night is as old as the copy, however old its only ban is.
      return { ...read, date: Math.max(read.date, (await stat(path)).mtimeMs) };
    },
  };
}

/** Bans that another host exported and a server hands out. */
export function bansOfUrl(id: string, request: ListRequest, fetcher: Fetcher): BanReader {
  const { url } = request;
  return {
    id,
    place: 'away',
    origin: url,
    read: async (known) => {
      const { etag, lastModified } = known ?? {};
      const facts = { maxBytes: CAP, known: { etag, lastModified } };
      const answer = await fetcher.get(request, known === undefined ? 'unless-refused' : 'when-due', facts);
      if (answer.kind === 'not-due') {
        if (answer.refused !== undefined) throw answer.refused;
        return 'not-due';
      }
      if (answer.kind !== 'body') return 'unchanged';
      return { ...(await readBody(answer.body, url)), validators: answer.validators };
    },
  };
}

async function readBody(body: Buffer, where: string): Promise<BansRead> {
  const { bytes } = await openBody(body, { cap: CAP, where });
  refuseHtml(bytes, where);
  const { bans, rejected, samples, at } = readBanLines(bytes, where);
  return { bans, rejected, samples, date: at };
}
