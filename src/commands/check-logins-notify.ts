import { hostname } from 'node:os';
import { isLoud } from '../check/finding.js';
import type { Review, Told } from '../check/logins/whole.js';
import { BlocklistError } from '../errors.js';
import { HttpClient } from '../io/http.js';
import { type Channel, notify } from '../report/notify.js';
import { readKey } from '../sources/key-file.js';
import { loginsNote } from './check-logins-tell.js';
import type { Context } from './context.js';
import type { Project } from './project.js';

/** Tells of new findings that somebody has to look at. @throws BlocklistError `notify-failed`, `config-invalid` when nobody is named */
export async function tellNew({ findings }: Review, project: Project | undefined, context: Context): Promise<void> {
  const { mail, 'webhook-file': file } = project?.config.notify ?? {};
  if (mail === undefined && file === undefined) {
    throw new BlocklistError('config-invalid', 'notify: names nobody who could be told', {
      hint: 'add notify: {mail: [root]} to blocklist.yaml',
    });
  }
  const fresh = findings.filter((each) => each.isNew && isLoud(each));
  if (fresh.length === 0) return;
  const http = new HttpClient(`blocklist/${context.version}`, context.env);
  const channels: Channel[] = [];
  const [first, ...rest] = mail ?? [];
  if (first !== undefined) channels.push({ kind: 'mail', to: [first, ...rest] });
  if (file !== undefined) channels.push({ kind: 'webhook', url: await readKey(file), http });
  try {
    await notify({ subject: subjectOf(fresh), text: loginsNote(fresh, context) }, channels);
  } finally {
    await http.close();
  }
}

function subjectOf(findings: readonly Told[]): string {
  const [worst] = findings;
  const count = findings.length === 1 ? 'a new finding' : `${findings.length} new findings`;
  return `blocklist on ${hostname()}: ${count}, the worst ${worst?.severity ?? 'unknown'}`;
}
