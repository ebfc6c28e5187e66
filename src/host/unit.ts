/** What systemd runs a process as (systemd.unit(5)). */
export interface Unit {
  /** `ssh.service`, `session-3.scope`; holds no character that a shell or a terminal minds but the backslash */
  readonly name: string;
  /** the user whose own manager runs it; undefined: that of the system */
  readonly user: number | undefined;
}

const NAME = /^[\w:.@\\-]{1,255}\.(service|scope|socket)$/;
const USERS = /^user@(\d{1,10})\.service$/;

/**
 * The unit in the text of /proc/PID/cgroup (cgroups(7)): under the unified hierarchy, or the one of systemd alone where there are several. Below a unit may
 * be control groups of its own; below the manager of a user are the units of that manager. Undefined for what systemd does not run, and
 * for a name that no unit has: users may make control groups of any name below their own.
 */
export function unitOf(cgroup: string): Unit | undefined {
  const lines = cgroup.split('\n');
  for (const prefix of [/^0::/, /^\d+:name=systemd:/]) {
    const path = lines.find((line) => prefix.test(line))?.replace(prefix, '') ?? '';
    const unit = unitIn(path.split('/'));
    if (unit !== undefined) return unit;
  }
  return undefined;
}

function unitIn(parts: readonly string[]): Unit | undefined {
  const k = parts.findIndex((part) => NAME.test(part));
  const name = parts[k];
  if (name === undefined) return undefined;
  const user = USERS.exec(name)?.[1];
  if (user === undefined) return { name, user: undefined };
  const below = unitIn(parts.slice(k + 1));
  return below === undefined ? { name, user: undefined } : { name: below.name, user: Number(user) };
}
