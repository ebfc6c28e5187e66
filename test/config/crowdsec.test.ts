import { describe, expect, test } from 'vitest';
import { messages, parsed } from './parsed.js';

const crowdsec = (keys: string) => `sources: {crowdsec: {${keys}}}`;
const LEAST = 'url: "http://127.0.0.1:8080", key-file: a.key';

test('an address and a key are enough: only single addresses and ranges block, and nothing is pushed', () => {
  expect(parsed(crowdsec(LEAST)).sources.crowdsec).toEqual({
    url: 'http://127.0.0.1:8080',
    'key-file': '/srv/blocklist/a.key',
    scopes: ['ip', 'range'],
    timeout: 60,
  });
  expect(parsed('{}').sources.crowdsec).toBeUndefined();
});

describe('refused', () => {
  test.each<[keys: string, message: string]>([
    ['', 'sources.crowdsec.url'],
    ['url: "http://127.0.0.1:8080"', 'sources.crowdsec.key-file'],
    ['url: "ftp://127.0.0.1", key-file: a', 'sources.crowdsec.url: expected the http:// or https:// address'],
    ['url: "http://u:p@127.0.0.1", key-file: a', 'sources.crowdsec.url: expected'],
    ['url: "http://127.0.0.1/?a=b", key-file: a', 'sources.crowdsec.url: expected'],
    ['url: "http://127.0.0.1/#a", key-file: a', 'sources.crowdsec.url: expected'],
    ['url: "http://", key-file: a', 'sources.crowdsec.url: expected'],
    [`${LEAST}, scopes: []`, 'sources.crowdsec.scopes'],
    [`${LEAST}, scopes: [ip, ip]`, 'sources.crowdsec.scopes: expected each scope once'],
    [`${LEAST}, scopes: [user]`, 'sources.crowdsec.scopes[0]'],
    [`${LEAST}, origins: []`, 'sources.crowdsec.origins'],
    [`${LEAST}, origins: ["a,b"]`, 'sources.crowdsec.origins[0]: expected an origin'],
    [`${LEAST}, origins: [capi]`, 'sources.crowdsec.origins[0]: expected CAPI'],
    [`${LEAST}, origins: ["Lists:tor"]`, 'sources.crowdsec.origins[0]: expected lists'],
    [`${LEAST}, timeout: 0`, 'sources.crowdsec.timeout'],
    [`${LEAST}, push: true`, 'sources.crowdsec.push'],
    [`${LEAST}, push: {}`, 'sources.crowdsec.push.credentials-file'],
    [`${LEAST}, pull: true`, 'unknown key sources.crowdsec.pull'],
  ])('%s', (keys, message) => {
    expect(messages(crowdsec(keys))[0]).toContain(message);
  });

  test('its name for another source', () => {
    expect(messages('sources: {custom: [{id: crowdsec, file: x}]}')[0]).toContain('crowdsec is sources.crowdsec');
    expect(messages('sources: {bans: [{id: crowdsec, file: x}]}')[0]).toContain('crowdsec is sources.crowdsec');
  });
});
