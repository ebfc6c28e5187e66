import { BlocklistError } from '../errors.js';
import { HttpFailure } from './http-failure.js';

/** Another port is another owner; http and https at their own ports are one. */
export function isSameServer(a: URL, b: URL): boolean {
  return a.origin === b.origin || (a.hostname === b.hostname && a.port === '' && b.port === '');
}

/** Where a redirect leads. @throws HttpFailure when that is nowhere, BlocklistError `http-refused` when it is a place we do not follow to. */
export function redirectTarget(from: URL, location: string | undefined, where: string): URL {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new HttpFailure('the server redirects to nowhere', { where, hint: 'open the address in a browser' });
  }
  const target = new URL(location, from);
  if (target.protocol !== 'https:' && !(target.protocol === 'http:' && from.protocol === 'http:')) {
    throw new BlocklistError('http-refused', `refused the redirect from ${from.protocol} to ${target.protocol}`, {
      where,
      hint: 'a list fetched over https must not arrive over something anyone on the way can change',
    });
  }
  return target;
}
