// Rows about updates: many feeds from a loopback server, and a build from what is cached.
import { fork } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generator } from './data.mjs';
import { has, pairs, wall } from './measure.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));
const ms = (value) => `${value.toFixed(0)} ms`;

/** Starts the server over a folder; `port` and `stop`. */
async function serve(folder) {
  const child = fork(fileURLToPath(new URL('server.mjs', import.meta.url)), [folder], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const port = await new Promise((resolve) => child.stdout.once('data', (data) => resolve(Number(String(data)))));
  return { port, stop: () => child.disconnect() };
}

/** A project of these feeds; its cache, state and rules are in `root`. */
function project(root, port, names) {
  mkdirSync(root, { recursive: true });
  const feeds = names.map((name) => `    - {id: ${name}, url: "http://127.0.0.1:${port}/${name}"}`).join('\n');
  const yaml = `sources:\n  custom:\n${feeds}\npaths: {cache: cache, state: state}\n`;
  writeFileSync(join(root, 'blocklist.yaml'), yaml);
  return join(root, 'blocklist.yaml');
}

const run = (command, config) => [process.execPath, CLI, command, '--config', config, '--quiet'];
const fresh = (root) => {
  for (const name of ['cache', 'state', 'rules']) rmSync(join(root, name), { recursive: true, force: true });
};

/** Distinct lines of the real lists: as many as the sets of a server with offender feeds and countries hold. */
const REAL_SIZE = 224_000;
const pool = (v4) => [...new Set(v4)].slice(0, REAL_SIZE);

/** `count` files of `size` lines each, drawn from the pool in its order: feeds overlap, since the same hosts knock everywhere. */
function writeFeeds(folder, lines, count, size) {
  mkdirSync(folder, { recursive: true });
  const next = generator(50);
  return Array.from({ length: count }, (_, i) => {
    const share = size / lines.length;
    const chosen = lines.filter(() => next() / 2 ** 32 < share).slice(0, size);
    writeFileSync(join(folder, `feed-${i + 1}`), `${chosen.join('\n')}\n`);
    return `feed-${i + 1}`;
  });
}

/** 50 feeds of 20,000 lines against curl, which fetches them side by side, and iprange, which merges them. */
export async function updates({ v4 }, folder) {
  const [served, root] = [join(folder, 'served'), join(folder, 'update')];
  const names = writeFeeds(served, pool(v4), 50, 20_000);
  const { port, stop } = await serve(served);
  try {
    const config = project(root, port, names);
    const fetched = names.map((name) => join(folder, `curl-${name}`));
    const curl = ['curl', '--silent', '--parallel', '--parallel-max', '50'];
    for (const [i, name] of names.entries()) curl.push('--output', fetched[i], `http://127.0.0.1:${port}/${name}`);
    const rows = [];
    if (has('curl') && has('iprange')) {
      const whole = await pairs(
        () => {
          fresh(root);
          return wall(run('update', config));
        },
        () => wall(curl) + wall(['iprange', ...fetched], join(folder, 'iprange-feeds.txt')),
      );
      rows.push({
        name: 'update of 50 feeds × 20,000 lines, first time ÷ (curl, all side by side, + iprange)',
        value: whole.ratio,
        unit: '×',
        limit: '≤ 1.5',
        holds: whole.ratio <= 1.5,
        detail: `${ms(whole.ours)} / ${ms(whole.theirs)}`,
      });
    }
    rows.push(await twoOfFifty(root, config, served, port, names));
    return rows;
  } finally {
    stop();
  }
}

/** Two feeds become others: the rest is not parsed again, which the times of their parsed forms prove. */
async function twoOfFifty(root, config, served, port, names) {
  fresh(root);
  wall(run('update', config));
  let round = 0;
  const touch = async () => {
    round++;
    for (const name of names.slice(0, 2)) {
      const path = join(served, name);
      writeFileSync(path, `${readFileSync(path, 'latin1')}45.9.${round}.${name.length}\n`);
      await fetch(`http://127.0.0.1:${port}/reload/${name}`, { method: 'POST' });
    }
  };
  const measured = await pairs(
    async () => {
      await touch();
      return wall(run('update', config));
    },
    () => {
      fresh(root);
      return wall(run('update', config));
    },
  );
  return {
    name: 'update where 2 of 50 feeds changed ÷ the first update',
    value: measured.ratio,
    unit: '×',
    limit: 'none',
    holds: true,
    detail: `${ms(measured.ours)} / ${ms(measured.theirs)}`,
  };
}

/** 224,000 entries from 10 sources, all cached: what a night costs when nothing is new. */
export async function cachedBuild({ v4 }, folder) {
  const [served, root] = [join(folder, 'served-10'), join(folder, 'build')];
  const names = writeFeeds(served, pool(v4), 10, 22_400);
  const { port, stop } = await serve(served);
  try {
    const config = project(root, port, names);
    wall(run('update', config));
    const measured = await pairs(
      () => wall(run('build', config)),
      () => wall([process.execPath, '-e', '0']),
    );
    return [
      {
        name: 'build from cache, nothing changed, 224,000 entries from 10 sources',
        value: measured.ours / 1000,
        unit: 's',
        limit: '≤ 0.35',
        holds: measured.ours <= 350,
        detail: `node -e 0: ${ms(measured.theirs)}`,
      },
    ];
  } finally {
    stop();
  }
}

const COUNTRIES = 'cn ru br in vn id th tr ua ir pk bd kp kr tw hk ro bg eg ng co mx'.split(' ');

/** Whole countries out of the database that ships, to rendered sets; the second time, as every night. */
export async function countries(_lists, folder) {
  const root = join(folder, 'countries');
  mkdirSync(root, { recursive: true });
  const config = join(root, 'blocklist.yaml');
  const block = COUNTRIES.map((code) => `"${code}"`).join(', ');
  writeFileSync(config, `sources: {countries: {block: [${block}]}}\npaths: {cache: cache, state: state}\n`);
  wall(run('build', config));
  const measured = await pairs(
    () => wall(run('build', config)),
    () => wall([process.execPath, '-e', '0']),
  );
  return [
    {
      name: '22 countries from the database to sets, whole process',
      value: measured.ours / 1000,
      unit: 's',
      limit: '≤ 0.4',
      holds: measured.ours <= 400,
      detail: `node -e 0: ${ms(measured.theirs)}`,
    },
  ];
}
