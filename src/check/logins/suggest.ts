import type { Visit } from '../../logins/visit.js';
import type { FindingCode } from '../finding.js';

/** What the suggestions need to know of this host. */
export interface Desk {
  /** a command of this program as it can be pasted */
  readonly line: (command: string) => string;
  /** a path as the person would type it */
  readonly path: (path: string) => string;
  /** of the person who asks; undefined: not through SSH */
  readonly callerAddress: string | undefined;
}

export interface Suggestion {
  readonly suggest: string;
  readonly note?: string;
}

/** useradd(8); nothing that a shell would read as more than a word */
const PLAIN_NAME = /^[a-z_][a-z0-9_.-]{0,31}$/;

/** What to do about a login that somebody objects to: one command, ready to be pasted. */
export function suggestionFor(code: FindingCode, visit: Visit, fingerprint: string, desk: Desk): Suggestion {
  const { user, pid, service } = visit;
  const isPlain = PLAIN_NAME.test(user);
  switch (code) {
    case 'LOGIN-BLOCKED-ADDR':
    case 'LOGIN-BLOCKED-COUNTRY':
    case 'LOGIN-AFTER-FAILURES':
      return lockOut(visit, isPlain, desk);
    case 'LOGIN-NEW-KEY':
      if (isPlain)
        return { suggest: `sudo ssh-keygen -lf ~${user}/.ssh/authorized_keys`, note: 'does the user know the key?' };
      break;
    case 'LOGIN-ROOT-PASSWORD':
      return {
        suggest: "sudo sshd -T | grep -i '^permitrootlogin'",
        note: 'prohibit-password in sshd_config lets root in by key alone; try the key before',
      };
    case 'LOG-FORGED':
      return {
        suggest: pid === undefined ? 'sudo journalctl -t sshd -o verbose' : `sudo journalctl _PID=${pid} -o verbose`,
        note: `the journal knows who wrote in the name of ${service}`,
      };
    default:
  }
  return {
    suggest: desk.line(`accept ${fingerprint} --for 90d --reason 'asked the user'`),
    note: 'ask the user first, on another way than mail to this host',
  };
}

/** Who came in knows how: the account is closed for keys and passwords alike until the user has new ones. */
function lockOut({ user }: Visit, isPlain: boolean, desk: Desk): Suggestion {
  if (isPlain && user !== 'root') {
    return {
      suggest: `sudo usermod --expiredate 1 ${user}`,
      note: "closes the account for keys and passwords; usermod --expiredate '' opens it when both are new",
    };
  }
  return {
    suggest: desk.line(`lockdown --allow ${desk.callerAddress ?? 'YOUR-ADDRESS'} --for 2h`),
    note: 'leaves SSH to you alone while new keys and passwords are made',
  };
}
