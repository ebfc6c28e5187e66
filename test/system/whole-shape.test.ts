import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect } from 'vitest';
import { writeFail2ban } from '../sources/fail2ban-database.js';
import { Namespace } from './namespace.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const COUNTRIES = 'cn ru br in vn id th tr ua ir pk bd kp kr tw hk ro bg eg ng co mx';
const DATABASE = fileURLToPath(new URL('../fixtures/geo/', import.meta.url));
const OFFENDERS = 154_000;
const BANS = 5_000;

/** Addresses without end, the same ones each time (mulberry32). */
function* addresses(seed: number): Generator<string> {
  for (let state = seed; ; ) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    const word = (t ^ (t >>> 14)) >>> 0;
    // Of networks that none of the countries has: 3/8, 44/8 and 52/8, and never an address beside another.
    yield `${[3, 44, 52][word % 3]}.${(word >>> 8) & 255}.${(word >>> 16) & 255}.${((word >>> 24) & 254) | 1}`;
  }
}

function some(count: number, seed: number): string[] {
  const found = new Set<string>();
  for (const address of addresses(seed)) if (found.add(address).size === count) break;
  return [...found];
}

/** A host as it is in life: whole countries, networks of their companies abroad, offenders, and the bans of fail2ban. */
describeSystem(
  '22 countries, their networks abroad, feeds and fail2ban together',
  ['root', 'netns', 'nft', 'ip'],
  () => {
    let host: Namespace;
    let project: Project;
    beforeAll(async () => {
      host = await Namespace.create();
      const feed = [
        ...some(OFFENDERS, 1),
        '45.9.0.0/24',
        ...Array.from({ length: 7 }, (_, k) => `2600:9000::${2 * k + 1}`),
      ];
      project = await Project.create([{ id: 'offenders', lines: feed }]);
      await project.write(
        'blocklist.yaml',
        `sources:
  countries: {block: [${COUNTRIES.split(' ')
    .map((code) => `"${code}"`)
    .join(', ')}]}
  asns: [AS58453, AS137872, AS268862, AS328787, AS139619]
  custom: [{id: offenders, file: lists/offenders.txt}]
  fail2ban: {database: fail2ban.sqlite3}
geo: {asn: ["${DATABASE}asn-ipv4.csv", "${DATABASE}asn-ipv6.csv"]}
local: {auto: []}
paths: {cache: cache, state: state}
`,
      );
      const at = Math.floor(Date.now() / 1000) - 60;
      const bans = some(BANS, 2).map((ip) => ({ ip, at, bantime: 86_400 }));
      await writeFail2ban(project.path('fail2ban.sqlite3'), bans);
    }, 60_000);
    afterAll(async () => {
      await host.remove();
      await project.remove();
    });

    systemTest(
      'four sets of the real size, loaded and read back, and each address of them explained',
      [],
      async () => {
        const built = JSON.parse((await project.done(undefined, 'build', '--json')).stdout);
        const sizes: Record<string, number> = Object.fromEntries(
          built.sets.map(({ name, prefixes }: { name: string; prefixes: number }) => [name, prefixes]),
        );
        // 157,600 single addresses; countries by whois have more pieces than by registry, where these are 41,000 and 26,000 (examples/countries).
        expect(sizes.nodes4).toBeGreaterThan(150_000);
        expect(sizes.nodes4).toBeLessThan(170_000);
        expect(sizes.nets4).toBeGreaterThan(46_084);
        expect(sizes.nets6).toBeGreaterThan(19_507);
        expect(sizes.nodes6).toBeGreaterThanOrEqual(7);
        const sources = new Map<string, { entries: number; unique: { v4: string } }>(
          built.sources.map((source: { id: string }) => [source.id, source]),
        );
        expect(sources.get('fail2ban')?.entries).toBe(BANS);
        // Abroad: what the countries do not have already.
        expect(Number(sources.get('asn-58453')?.unique.v4)).toBeGreaterThan(0);
        const applied = await project.done(host, 'apply');
        expect(applied.stderr).toContain('read back: the kernel holds exactly this');
        expect((await project.blocklist(host, 'status')).status).toBe(0);
        for (const set of ['nodes4', 'nets4', 'nodes6', 'nets6']) {
          const lines = (await readFile(join(project.rules, `${set}.txt`), 'utf8')).trim().split('\n');
          const step = Math.ceil(lines.length / 500);
          const asked = lines.filter((_, i) => i % step === 0).map((line) => line.split('/')[0] ?? '');
          const why = await host.run(project.argv('why', '-', '--json'), { stdin: `${asked.join('\n')}\n` });
          expect(why.status, why.stderr).toBe(0);
          const { answers } = JSON.parse(why.stdout) as {
            answers: ReadonlyArray<{ verdict: string; address: string; sources: unknown[] }>;
          };
          expect(answers).toHaveLength(asked.length);
          expect(answers.filter(({ verdict, sources: by }) => verdict !== 'blocked' || by.length === 0)).toEqual([]);
        }
      },
      240_000,
    );
  },
);
