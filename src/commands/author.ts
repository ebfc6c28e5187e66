import { userInfo } from 'node:os';
import type { Context } from './context.js';

/** Who decides, for the record: the person behind sudo, else the user. Told by the environment, so it is a note and no proof. */
export function authorOf({ env }: Context): string {
  const name = env.SUDO_USER || ownName();
  return name.replace(/[^\w.@-]/g, '?').slice(0, 64);
}

function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in passwd(5).
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
