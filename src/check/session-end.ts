import type { LiveSession } from '../host/sessions.js';
import type { Finding } from './finding.js';

/** What the suggestions need to know of this host and of who asks. */
export interface SessionDesk {
  /** a command of this program as it can be pasted */
  readonly line: (command: string) => string;
  readonly isOwn: (session: LiveSession) => boolean;
}

/**
 * What ends a session: logind takes all along that is in its scope, otherwise root's process of it says goodbye in the records. Never the way by which
 * whoever asks came in.
 */
export function endOf(session: LiveSession, desk: SessionDesk): Pick<Finding, 'suggest' | 'note'> {
  const { address, logind, monitor } = session;
  if (desk.isOwn(session)) {
    const note = 'this is your own session: it is not ended from here';
    return { suggest: address === undefined ? 'last -i' : desk.line(`why ${address}`), note };
  }
  const first = address === undefined ? '' : `; before it ${desk.line(`ban ${address}`)}, or they come back`;
  if (logind !== undefined) {
    return { suggest: `sudo loginctl terminate-session ${logind.id}`, note: `ends all that is in it${first}` };
  }
  if (monitor === undefined || monitor.pid <= 1)
    return { suggest: 'sudo w -i', note: `no process of it is known${first}` };
  return {
    suggest: `sudo kill -TERM ${monitor.pid}`,
    note: `what was started with nohup or setsid goes on: look again${first}`,
  };
}
