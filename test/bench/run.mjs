// npm run bench [-- --check]: measures, prints a table, writes bench.json; with --check exits 1 when a row misses its limit.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { table } from '../../dist/io/table.js';
import { loading } from './apply.mjs';
import { fail2ban } from './bans.mjs';
import { makeLists } from './data.mjs';
import { cachedBuild, countries, updates } from './feeds.mjs';
import { firewalld } from './firewalld.mjs';
import { loginLog } from './login-log.mjs';
import { loginRecords } from './logins.mjs';
import { PAIRS } from './measure.mjs';
import { packets } from './packets.mjs';
import { inProcess, memory, startUp, wholeProcess } from './rows.mjs';
import { questions } from './why.mjs';

const folder = mkdtempSync(join(tmpdir(), 'blocklist-bench-'));
try {
  const lists = await makeLists(folder);
  process.stderr.write(`input: ${lists.v4.length} IPv4 lines: ${lists.origin}\n`);
  const rows = [];
  for (const measure of [
    wholeProcess,
    inProcess,
    memory,
    startUp,
    cachedBuild,
    updates,
    countries,
    fail2ban,
    questions,
    loginRecords,
    loginLog,
    loading,
    packets,
    firewalld,
  ])
    rows.push(...(await measure(lists, folder)));
  const figure = ({ value, unit }) => `${value.toFixed(2)} ${unit}`;
  process.stdout.write(
    table(
      [
        { title: 'work' },
        { title: 'measured', align: 'right' },
        { title: 'must' },
        { title: '' },
        { title: 'figures' },
      ],
      rows.map((row) => [row.name, figure(row), row.limit, row.holds ? 'holds' : 'MISSED', row.detail]),
    ),
  );
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, node ${process.version}`;
  process.stdout.write(`medians of ${PAIRS} pairs on ${machine}\n`);
  writeFileSync(
    'bench.json',
    `${JSON.stringify({ schema: 'blocklist/bench', version: 1, machine, input: lists.origin, rows }, null, 2)}\n`,
  );
  if (process.argv.includes('--check') && rows.some(({ holds }) => !holds)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
