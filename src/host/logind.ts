import { readdirSync, readFileSync } from 'node:fs';
import { whereReadable } from './processes.js';

/** A session as systemd-logind has it. All texts are of unknown origin. */
export interface LogindSession {
  /** `3`, `c1`: as loginctl(1) takes it */
  readonly id: string;
  readonly user: string;
  readonly uid: number | undefined;
  /** `active`, `online`, or `closing`: who led it has gone, and others are still there */
  readonly state: string;
  /** `session-3.scope` */
  readonly scope: string | undefined;
  readonly tty: string | undefined;
  /** address or name of the other end */
  readonly peer: string | undefined;
  /** `sshd`, `login`, `cockpit` */
  readonly service: string | undefined;
  /** number of its first process */
  readonly first: number | undefined;
  readonly audit: number | undefined;
  /** milliseconds since 1970 */
  readonly since: number | undefined;
}

/** As sd_session ids are: loginctl(1) takes nothing else, and neither does a shell mind it. */
const ID = /^[A-Za-z0-9]{1,32}$/;
const SCOPE = /^session-[A-Za-z0-9]{1,32}\.scope$/;
/** Of persons. The others are the manager of a user, what cron runs, the screen where somebody may log in. */
const CLASSES = /^user/;

/**
 * The sessions of persons below `run`; none where logind does not run. By the files in which logind keeps them and not by loginctl(1), whose output
 * differs by version and whose program an intruder may have replaced.
 * @param denied called when they are not ours to see
 */
export function logindSessions(run = '/run', denied?: () => void): LogindSession[] {
  const folder = `${run}/systemd/sessions`;
  const names = whereReadable(() => readdirSync(folder), denied) ?? [];
  return names
    .filter((name) => ID.test(name))
    .flatMap((id) => {
      const text = whereReadable(() => readFileSync(`${folder}/${id}`, 'utf8'), denied);
      return text === undefined ? [] : (parseSession(id, text) ?? []);
    })
    .sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}

/** logind-session.c, session_save: a value a line. Undefined for what is no session of a person. */
export function parseSession(id: string, text: string): LogindSession | undefined {
  const values = new Map(
    text.split('\n').flatMap((line): Array<[string, string]> => {
      const [, key, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, unquoted(value)]];
    }),
  );
  if (!CLASSES.test(values.get('CLASS') ?? '')) return undefined;
  const said = (key: string) => values.get(key) || undefined;
  const number = (key: string) => {
    const value = Number(values.get(key) || Number.NaN);
    return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  };
  const since = number('REALTIME');
  const scope = said('SCOPE');
  return {
    id,
    user: values.get('USER') ?? '',
    uid: number('UID'),
    state: values.get('STATE') ?? '',
    scope: scope !== undefined && SCOPE.test(scope) ? scope : undefined,
    tty: said('TTY')?.replace(/^\/dev\//, ''),
    peer: said('REMOTE_HOST'),
    service: said('SERVICE'),
    first: number('LEADER'),
    // 0 stands for none.
    audit: number('AUDIT') || undefined,
    since: since === undefined ? undefined : since / 1_000,
  };
}

/** Since systemd 240 a value may stand in quotes, with backslashes before what a shell minds (env-file.c). */
function unquoted(value: string): string {
  return /^".*"$/.test(value) ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
}
