import { BlocklistError } from '../../errors.js';
import { HttpFailure } from '../../io/http-failure.js';

/** The same failure, with what an operator of CrowdSec can do about a local API that did not give a bouncer its decisions. */
export function refusalOf(failure: BlocklistError, where: string): BlocklistError {
  const hint = failure instanceof HttpFailure ? hintFor(failure) : hintForOther(failure);
  return new BlocklistError(failure.code, failure.message, { where, hint, cause: failure });
}

const CHECK_URL = 'check sources.crowdsec.url: cscli lapi status names the address of the local API';

function hintFor({ status = 0, network }: HttpFailure): string {
  if (status === 401 || status === 403) {
    return 'it does not know this key: make one with cscli bouncers add blocklist, and put it into key-file';
  }
  if (status === 404) return 'this is no local API of CrowdSec 1.0 or later: check sources.crowdsec.url';
  if (status >= 500) return 'its own log says why: journalctl -u crowdsec';
  if (network === 'ECONNREFUSED') return 'see systemctl status crowdsec';
  if (network === 'timeout') return 'see whether it is busy, or raise sources.crowdsec.timeout';
  return CHECK_URL;
}

function hintForOther({ code, hint = CHECK_URL }: BlocklistError): string {
  return code === 'too-large' ? 'take less of it: name the origins that matter under sources.crowdsec' : hint;
}
