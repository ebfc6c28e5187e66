import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SourceShare } from '../../src/build/build.js';
import { renderArtefact, renderNft } from '../../src/render/artefact.js';
import { renderNftJson } from '../../src/render/nft-json.js';
import { GOLDEN, golden, goldenFolder, ruleSets } from './golden.js';
import { GOLDEN_INPUTS } from './golden-inputs.js';

const SHARES: readonly SourceShare[] = [
  {
    ...{ id: 'ipsum-3', kind: 'feed', direction: 'in', entries: 12, ageMs: 3_600_000 },
    ...{ addresses: { v4: 66_063, v6: 0n }, unique: { v4: 65_000, v6: 0n } },
  },
  {
    ...{ id: 'partners', kind: 'file', direction: 'both', entries: 3, ageMs: 0 },
    ...{ addresses: { v4: 1025, v6: 1_208_925_819_614_629_174_706_177n }, unique: { v4: 0, v6: 1n } },
  },
];

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

describe.each(Object.entries(GOLDEN_INPUTS))('golden files: %s', (name, input) => {
  const sets = ruleSets(input);

  test('nft script', () => {
    const script = renderNft(sets);
    expect(text(script)).toBe(golden(`nft--${name}.nft`, script));
  });

  test('libnftables JSON', () => {
    const json = Buffer.from(`${JSON.stringify(renderNftJson(sets), null, 1)}\n`);
    expect(text(json)).toBe(golden(`json--${name}.json`, json));
  });

  test('plain lists and manifest', () => {
    const folder = goldenFolder(`lists--${name}`);
    const files = [...renderArtefact(sets, SHARES)].filter(([file]) => file !== 'blocklist.nft');
    for (const [file, bytes] of files) expect(text(bytes)).toBe(golden(`lists--${name}/${file}`, bytes));
    expect(files.map(([file]) => file).sort()).toEqual(folder.names());
  });

  test('the artefact holds the same script, and its manifest last', () => {
    const files = renderArtefact(sets, SHARES);
    expect(text(files.get('blocklist.nft') ?? new Uint8Array())).toBe(text(renderNft(sets)));
    expect([...files.keys()].at(-1)).toBe('manifest.json');
  });
});

/** Read back from the folder: written by hand once, from the inputs. */
const BY_HAND: Readonly<Record<string, string>> = {
  'lists--both/nodes4.txt': '9.0.0.1\n45.9.20.7\n223.255.255.254\n',
  'lists--both/nets4.txt': '5.6.7.8/31\n45.10.0.0/23\n80.0.0.16/29\n91.200.1.0/24\n91.200.2.0/24\n198.11.0.0/16\n',
  'lists--both/nodes6.txt': '2400:cb00:ff:0:1::\n2a03:b0c0:1::1\n2a06:1280::4\n',
  'lists--both/nets6.txt': '2001:67c:4e8::/48\n2a02:4780::/32\n2a03:b0c0:1::2/127\n2a06:1280::/126\n',
  'lists--ipv4/nodes6.txt': '',
  'lists--ipv4/nets6.txt': '',
  'lists--ipv6/nodes4.txt': '',
  'lists--out/nodes4.txt': '45.9.20.7\n',
  'lists--out/out_nodes4.txt': '45.9.20.7\n',
  'lists--out/out_nets4.txt': '77.91.64.0/22\n',
  'lists--out/out_nodes6.txt': '2a0d:f302::1\n',
  'lists--out/out_nets6.txt': '2a0d:f302:1::/48\n',
};

test.each(Object.entries(BY_HAND))('%s holds what a person finds by hand', (file, expected) => {
  expect(readFileSync(join(GOLDEN, file), 'utf8')).toBe(expected);
});
