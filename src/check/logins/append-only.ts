import { BlocklistError } from '../../errors.js';
import type { RecordFile } from '../../logins/find.js';
import { growthOf, type Mark } from '../../logins/growth.js';
import { fingerprintOf } from '../finding.js';
import { type Found, ofRecords } from './found.js';
import type { Change } from './memory.js';
import { keepCopy } from './tamper.js';

export interface AppendOnly {
  readonly changes: readonly Change[];
  readonly marks: Readonly<Record<string, Mark>>;
}

/** Files to which their writers only add. What was put aside is not written any more; databases and lastlog change in place. */
const GROWING = /\/(?:wtmp|btmp|auth\.log|secure|mail\.log|maillog|vsftpd\.log)$/;

/**
 * Compares each file that only grows with how it was at the last review: what it had then it must have now, here or in a rotation. Catches every edit
 * between two reviews.
 */
export async function appendOnly(
  files: readonly RecordFile[],
  before: Readonly<Record<string, Mark>>,
  now: number,
): Promise<AppendOnly> {
  const changes: Change[] = [];
  const marks: Record<string, Mark> = {};
  for (const { path } of files) {
    if (!GROWING.test(path)) continue;
    try {
      const was = before[path];
      const { growth, mark } = await growthOf(path, was);
      marks[path] = mark;
      if (was === undefined || (growth !== 'shrunk' && growth !== 'rewritten')) continue;
      changes.push({ path, growth, before: was, after: mark, at: now });
    } catch (error) {
      // Its reader has told so.
      if (!(error instanceof BlocklistError)) throw error;
    }
  }
  return { changes, marks };
}

/** Stands until a person accepts it: the file does not show it any more. */
export function changeFinding({ path, growth, before, after, at }: Change): Found {
  const what =
    growth === 'shrunk'
      ? `it had ${before.size} bytes and then ${after.size}`
      : `its first ${before.size} bytes were not any more those of the review before`;
  return ofRecords(
    {
      code: growth === 'shrunk' ? 'WTMP-SHRUNK' : 'WTMP-REWRITTEN',
      severity: 'high',
      fingerprint: fingerprintOf('WTMP-REWRITTEN', [path, before.digest, after.digest]),
      what: `${path}: ${what}, and no rotation had them: a file that only grows was changed`,
      words: what,
      evidence: { file: path, before, after },
      ...keepCopy(path, 'wtmp'),
    },
    at,
  );
}
