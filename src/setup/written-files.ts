import { cronText } from './cron.js';
import { ACTION_FILE, actionText, COPY_PROGRAM, copyProgram } from './fail2ban.js';
import { PLACE, SYSTEM_USER } from './layout.js';
import { marked } from './marker.js';
import { units } from './units.js';

/** Who runs us every night. */
export type Manner = 'systemd' | 'cron';

export interface WrittenFile {
  /** absolute, on the host that it is for */
  readonly path: string;
  /** with the marker line */
  readonly text: string;
}

/** Every file that `install` writes, in the order in which they are written; the last two where there is fail2ban. */
export function writtenFiles(manner: Manner, program: readonly string[]): WrittenFile[] {
  const files =
    manner === 'systemd'
      ? units(program).map(({ name, text }) => ({ path: `${PLACE.units}/${name}`, text }))
      : [{ path: PLACE.cron, text: cronText(program) }];
  const forFail2ban = [
    { path: COPY_PROGRAM, text: copyProgram() },
    { path: ACTION_FILE, text: actionText(program) },
  ];
  return [{ path: PLACE.systemUser, text: systemUserText() }, ...files, ...forFail2ban].map(({ path, text }) => ({
    path,
    text: marked(text),
  }));
}

/** Where files of ours can be, whichever manner they were installed in. */
export function everyPath(): string[] {
  return [...new Set((['systemd', 'cron'] as const).flatMap((each) => writtenFiles(each, ['/']).map((f) => f.path)))];
}

/** The units that are enabled; the others are started by them. */
export function enabledUnits(): string[] {
  return units(['/']).flatMap(({ name, isEnabled }) => (isEnabled ? [name] : []));
}

/** sysusers.d(5) */
function systemUserText(): string {
  return `u ${SYSTEM_USER} - "firewall blocklist" ${PLACE.updateState} /usr/sbin/nologin\n`;
}
