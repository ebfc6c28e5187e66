import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatPrefix } from '../../src/ip/index.js';
import { parseStanding } from '../../src/respond/standing.js';

const text = (name: string) => readFileSync(new URL(`../fixtures/lockdown/${name}.json`, import.meta.url), 'utf8');
/** What nft 1.0.6 printed of a lockdown. */
const [ruleset, armed] = [text('ruleset'), text('armed')];

/** The listing with one line of it changed. */
function changed(listing: string, line: RegExp, put: (line: string) => string): string {
  const lines = listing.split('\n');
  const at = lines.findIndex((each) => line.test(each));
  expect(at, String(line)).toBeGreaterThan(0);
  return lines
    .map((each, k) => (k === at ? put(each) : each))
    .filter((each) => each !== '')
    .join('\n');
}

function read(rules: string, elements = armed) {
  const standing = parseStanding(rules, elements);
  return standing && { ...standing, allow: standing.allow.map(formatPrefix) };
}

const WHOLE = {
  allow: ['203.0.113.7', '2001:db8::/64'],
  ports: [22, 2222],
  seconds: 1799,
  cutOutbound: false,
  isIntact: true,
};

describe('a lockdown, read from the kernel', () => {
  test('as it was loaded', () => expect(read(ruleset)).toEqual(WHOLE));

  test('without a time', () => {
    const forGood =
      '{"nftables": [{"set": {"family": "inet", "name": "armed", "table": "blocklist_lockdown", "elem": ["ipv4", "ipv6"]}}]}';
    expect(read(ruleset, forGood)).toEqual({ ...WHOLE, seconds: undefined });
  });

  test('over, or not there', () => {
    const over = '{"nftables": [{"set": {"family": "inet", "name": "armed", "table": "blocklist_lockdown"}}]}';
    expect(read(ruleset, over)).toBeUndefined();
    expect(read('{"nftables": []}', armed)).toBeUndefined();
  });

  const ACCEPT =
    '{"rule": {"family": "inet", "table": "blocklist_lockdown", "chain": "inbound", "expr": [{"accept": null}]}},';
  test.each<[what: string, altered: string, elements?: string]>([
    ['a rule more', changed(ruleset, /"chain": "inbound".*"lo"/, (line) => `${ACCEPT}\n${line}`)],
    ['a rule less', changed(ruleset, /"chain": "forwarded".*"drop"/, () => '')],
    ['another verdict', changed(ruleset, /"chain": "inbound".*"drop"/, (line) => line.replace('"drop"', '"accept"'))],
    ['asleep', changed(ruleset, /^\{"table"/, (line) => line.replace('"handle"', '"flags": ["dormant"], "handle"'))],
    ['one family alone', ruleset, armed.replace(/, \{"elem": \{"val": "ipv6".*?\}\}/, '')],
  ])('altered: %s', (_, altered, elements) => {
    expect([altered, elements ?? armed]).not.toEqual([ruleset, armed]);
    expect(read(altered, elements)).toMatchObject({ isIntact: false });
  });

  test('an address that somebody added is told like any other', () => {
    const added = changed(
      ruleset,
      /"chain": "admins".*203\.0\.113\.7/,
      (line) => `${line}\n${line.replace('203.0.113.7', '198.51.100.9')}`,
    );
    expect(read(added)?.allow).toContain('198.51.100.9');
    expect(read(added)?.isIntact).toBe(false);
  });

  test('what is no listing is not believed', () => {
    expect(() => parseStanding('{"nftables": 5}', armed)).toThrow(expect.objectContaining({ code: 'nft-refused' }));
    expect(() => parseStanding(ruleset, 'garbage')).toThrow(expect.objectContaining({ code: 'nft-refused' }));
  });
});
