import { BlocklistError } from '../../errors.js';
import type { HttpFailure } from '../../io/http-failure.js';

/** What an operator of CrowdSec can do about a local API that did not answer a bouncer's key with 200. */
export function refusalOf(failure: HttpFailure, where: string): BlocklistError {
  return new BlocklistError('http-failed', failure.message, { where, hint: hintFor(failure), cause: failure });
}

function hintFor({ status = 0, network }: HttpFailure): string {
  if (status === 401 || status === 403) {
    return 'it does not know this key: make one with cscli bouncers add blocklist, and put it into key-file';
  }
  if (status === 404) return 'this is no local API of CrowdSec 1.0 or later: check sources.crowdsec.url';
  if (status >= 500) return 'its own log says why: journalctl -u crowdsec';
  if (network === 'ECONNREFUSED') return 'see systemctl status crowdsec';
  if (network === 'timeout') return 'see whether it is busy, or raise sources.crowdsec.timeout';
  return 'check sources.crowdsec.url: cscli lapi status names the address of the local API';
}
