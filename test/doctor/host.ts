import { join } from 'node:path';
import { parseConfig } from '../../src/config/load.js';
import type { Bench, Finding, Host } from '../../src/doctor/contract.js';

export const NOW = Date.UTC(2026, 10, 1);
export const bench: Bench = { line: (command) => `blocklist ${command}`, now: NOW, self: 'blocklist', uid: 0 };

/** A host whose /etc, /proc, /sys and /run are in a folder. */
export function hostIn(root: string, more: Partial<Host> = {}): Host {
  const at = (name: string) => join(root, 'project', name);
  return {
    ...bench,
    root,
    env: {},
    config: parseConfig('{}', at('blocklist.yaml')),
    isConfigNamed: false,
    sources: undefined,
    folders: { cache: at('cache'), state: at('state') },
    trust: [],
    lastBuild: undefined,
    tryCrowdsec: async () => ({ key: undefined, credentials: undefined, answer: 'good' }),
    proxies: async () => [],
    ...more,
  };
}

/** The findings with this name, each as `state: what` and what to do. */
export function named(findings: readonly Finding[], id: string) {
  return findings
    .filter((each) => each.id === id)
    .map((each) => ({ state: each.state, text: each.what, fix: 'fix' in each ? each.fix : '' }));
}
