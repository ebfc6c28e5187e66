// The rows of the benchmark. Each yields { name, value, unit, limit, holds, detail }.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mergeCidr } from 'cidr-tools';
import { BlockWalk, readList, writeBlocks } from '../../dist/ip/index.js';
import { makeGenerated } from './data.mjs';
import { has, median, PAIRS, pairs, peakMemory, sameBytes, wall } from './measure.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));
const merge = (file) => [process.execPath, CLI, 'merge', file];
const atMost = (name, value, unit, limit, detail) => ({
  name,
  value,
  unit,
  limit: `≤ ${limit}`,
  holds: value <= limit,
  detail,
});
const LINES = { before: '', after: '\n' };
const ms = (value) => `${value.toFixed(0)} ms`;

/** `merge` as a whole process against iprange on the same file. */
export async function wholeProcess({ files, v4, countries }, folder) {
  const name = `merge of ${v4.length.toLocaleString('en')} IPv4 lines, whole process ÷ iprange`;
  if (!has('iprange'))
    return [{ name, value: Number.NaN, unit: '×', limit: '≤ 0.6', holds: false, detail: 'iprange is not installed' }];
  const [mine, other] = [join(folder, 'ours.txt'), join(folder, 'iprange.txt')];
  const measured = await pairs(
    () => wall(merge(files.v4), mine),
    () => wall(['iprange', files.v4], other),
  );
  const same = sameBytes(mine, other);
  // Where the input is sorted already, iprange hardly has to work; the row has no limit and keeps us honest.
  const sorted = await pairs(
    () => wall(merge(files.countries4)),
    () => wall(['iprange', files.countries4]),
  );
  const info = {
    name: `the same for ${countries.v4.length.toLocaleString('en')} lines in sorted runs`,
    value: sorted.ratio,
    unit: '×',
    limit: 'none',
    holds: true,
    detail: `${ms(sorted.ours)} / ${ms(sorted.theirs)}`,
  };
  const row = atMost(
    name,
    measured.ratio,
    '×',
    0.6,
    `${ms(measured.ours)} / ${ms(measured.theirs)}, ${same ? 'same bytes' : 'OTHER BYTES'}`,
  );
  return [{ ...row, holds: row.holds && same }, info];
}

/** From text to the text of minimal prefixes in one process, against cidr-tools on the same lines; IPv6 against IPv4 per line. */
export async function inProcess({ files, v4, countries }) {
  const time = (work) => {
    const start = performance.now();
    work();
    return performance.now() - start;
  };
  /** text → text, without the file */
  const minimal = (list, family) => {
    const walk = new BlockWalk(readList(list).set[family]);
    const chunk = new Uint8Array(1 << 18);
    let bytes = 0;
    for (let size = writeBlocks(walk, LINES, chunk); size > 0; size = writeBlocks(walk, LINES, chunk)) bytes += size;
    return bytes;
  };
  const list = readFileSync(files.v4);
  const list6 = readFileSync(files.countries6);
  // Once each unmeasured: these rows are about the work, start-up has its own.
  minimal(list, 'v4');
  minimal(list6, 'v6');
  mergeCidr(v4);
  const merged = await pairs(
    () => time(() => minimal(list, 'v4')),
    () => time(() => mergeCidr(v4)),
  );
  const faster = 1 / merged.ratio;
  const families = await pairs(
    () => time(() => minimal(list6, 'v6')) / countries.v6.length,
    () => time(() => minimal(list, 'v4')) / v4.length,
  );
  return [
    {
      name: "in process: cidr-tools' merge ÷ ours, the same lines",
      value: faster,
      unit: '×',
      limit: '≥ 8',
      holds: faster >= 8,
      detail: `${ms(merged.theirs)} / ${ms(merged.ours)}`,
    },
    atMost(
      `in process: IPv6 (${countries.v6.length.toLocaleString('en')} lines) ÷ the same IPv4, per line`,
      families.ratio,
      '×',
      4,
      `${(families.ours * 1e6).toFixed(0)} ns / ${(families.theirs * 1e6).toFixed(0)} ns`,
    ),
  ];
}

/** Peak memory against the number of entries; time against ten times the entries. */
export async function memory(_lists, folder) {
  const counts = [1_000_000, 10_000_000];
  const files = counts.map((count) => makeGenerated(join(folder, `${count}.txt`), count));
  const rows = counts.map((count, i) => {
    const limit = 60 + (24 * count) / 1e6;
    const used = (peakMemory([CLI, 'merge', files[i]]) * 1024 * 1024) / 1e6;
    return atMost(
      `memory of merge, ${count.toLocaleString('en')} entries`,
      used,
      'MB',
      limit,
      '60 MB + 24 bytes an entry',
    );
  });
  const start = wall([process.execPath, '-e', '0']);
  const [one, ten] = files.map((file) => median(Array.from({ length: PAIRS }, () => wall(merge(file)) - start)));
  return [
    ...rows,
    atMost('time of 10,000,000 entries ÷ 10 × that of 1,000,000', ten / one / 10, '×', 1.5, `${ms(ten)} / ${ms(one)}`),
  ];
}

/** Start-up against node's own. */
export async function startUp() {
  const node = () => wall([process.execPath, '-e', '0']);
  const rows = [];
  for (const flag of ['--version', '--help']) {
    const measured = await pairs(() => wall([process.execPath, CLI, flag]), node);
    rows.push(atMost(`${flag} ÷ node -e 0`, measured.ratio, '×', 1.6, `${ms(measured.ours)} / ${ms(measured.theirs)}`));
  }
  return rows;
}
