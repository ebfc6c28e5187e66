import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RuleSets } from '../../src/build/build.js';
import { decompose, fourSets, IpSet } from '../../src/ip/index.js';
import { DEFAULT_POLICY } from '../../src/render/default-policy.js';
import type { GoldenInput } from './golden-inputs.js';

/** Where the golden files are. */
export const GOLDEN = fileURLToPath(new URL('../golden/', import.meta.url));

const isWriting = process.env.GOLDEN === 'write';

export function ruleSets(input: GoldenInput): RuleSets {
  const { out, only, policy } = input;
  const alone = only && IpSet.from(only);
  return {
    in: fourSets(IpSet.from(input.in)),
    ...(out === undefined ? {} : { out: fourSets(IpSet.from(out)) }),
    ...(alone && {
      only: {
        nets4: decompose(alone.v4),
        nets6: decompose(alone.v6),
        ports: [...(input.ports ?? [])].sort((a, b) => a - b),
      },
    }),
    ...(policy && { policy: { ...DEFAULT_POLICY, ...policy } }),
  };
}

/** The golden bytes of this name; with GOLDEN=write they become the given ones. */
export function golden(name: string, bytes: Uint8Array): string {
  const path = join(GOLDEN, name);
  if (isWriting) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  return readFileSync(path, 'utf8');
}

/** Names of the golden files in a folder; with GOLDEN=write the folder is emptied first. */
export function goldenFolder(name: string): { readonly names: () => string[] } {
  const path = join(GOLDEN, name);
  if (isWriting) rmSync(path, { recursive: true, force: true });
  return { names: () => readdirSync(path).sort() };
}
