import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { compiled } from '../io/tmpfs.js';
import { run } from '../system/processes.js';
import { projectWith } from './cli.js';

/** Calls the API as a program of somebody else does, and reports what that program would notice. */
function script(entry: string, body: string): string {
  return `
    const api = await import('${compiled(entry)}');
    const asked = [];
    const environment = new Proxy(process.env, {
      get: (target, name) => (asked.push(String(name)), Reflect.get(target, name)),
      has: (target, name) => (asked.push(String(name)), Reflect.has(target, name)),
      ownKeys: (target) => (asked.push('all'), Reflect.ownKeys(target)),
    });
    Object.defineProperty(process, 'env', { value: environment });
    process.exit = () => asked.push('exit');
    const result = await (async (folder) => { ${body} })(process.argv[1]);
    // The yaml package looks for these at every token, to debug itself.
    const ours = asked.filter((name) => name !== 'LOG_TOKENS' && name !== 'LOG_STREAM');
    process.stdout.write(JSON.stringify({ result, asked: ours, exitCode: process.exitCode ?? null }));
  `;
}

async function call(entry: string, body: string, folder = '/') {
  const argv = [process.execPath, '--input-type=module', '-e', script(entry, body), folder];
  const { status, stdout, stderr } = await run(argv);
  return { status, stderr, told: JSON.parse(stdout) as unknown };
}

const quiet = (result: unknown) => ({ status: 0, stderr: '', told: { result, asked: [], exitCode: null } });

describe('the functions of the package print nothing, end nothing, and ask the environment for nothing', () => {
  test('build and render', async () => {
    const body = `
      const source = {
        id: 'a', kind: 'feed', direction: 'both', date: 0, state: 'fresh',
        set: api.IpSet.from(['5.6.7.0/24', '9.9.9.1', '2a00::/32']),
        counts: { entries: 3, rejected: 0, hostBits: 0, samples: [] },
      };
      const { sets, shares, provenance } = api.build({
        sources: [source], neverBlock: api.specialPurpose(), allow: api.IpSet.empty, now: 1000, limits: { feeds: 1, all: 1 },
      });
      const text = Buffer.from(api.renderNft(sets)).toString();
      const json = api.renderNftJson(sets);
      return [
        api.sourcesOf(provenance, '9.9.9.1'), text.includes('9.9.9.1'), json.nftables.length > 5,
        [...api.renderArtefact(sets, shares).keys()].length,
      ];
    `;
    expect(await call('index.js', body)).toEqual(quiet([['a'], true, true, 10]));
  });

  test('loadConfig', async () => {
    const folder = await projectWith('sources: {countries: {block: [kp]}}');
    const body = 'return (await api.loadConfig(folder + "/blocklist.yaml")).sources.countries.block;';
    expect(await call('index.js', body, folder)).toEqual(quiet(['kp']));
  });

  test('errors are thrown, not printed', async () => {
    const body = `
      const problems = [];
      for (const work of [
        () => api.loadConfig('/none.yaml'), () => api.readArtefact('/none'), async () => api.parsePrefix('x'),
      ]) await work().catch((error) => problems.push([error instanceof api.BlocklistError, error.code, error.exitStatus]));
      return problems;
    `;
    const problems = [
      [true, 'config-missing', 2],
      [true, 'artefact-missing', 2],
      [true, 'bad-prefix', 2],
    ];
    expect(await call('index.js', body)).toEqual(quiet(problems));
  });

  test('the pure heart', async () => {
    const body = `
      const { set, report } = api.readList('192.0.2.0/25\\n192.0.2.128/25\\noops\\n');
      return [[...set.prefixes()].map(api.formatPrefix), report.rejected];
    `;
    expect(await call('ip/index.js', body)).toEqual(quiet([['192.0.2.0/24'], 1]));
  });
});

test('what the package exports is there', async () => {
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    bin: Record<string, string>;
    exports: Record<string, string | Record<string, string>>;
  };
  const paths = [
    ...Object.values(manifest.bin),
    ...Object.values(manifest.exports).flatMap((each) => Object.values(typeof each === 'string' ? { each } : each)),
  ];
  expect(paths.length).toBeGreaterThan(4);
  for (const path of paths)
    await expect(readFile(new URL(path, new URL('../../', import.meta.url)))).resolves.toBeDefined();
});
