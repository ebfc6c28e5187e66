// The rows of the benchmark. Each yields { name, value, unit, limit, holds, detail }.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mergeCidr } from 'cidr-tools';
import { readList } from '../../dist/ip/index.js';
import { makeGenerated } from './data.mjs';
import { has, median, PAIRS, pairs, peakMemory, sameBytes, wall } from './measure.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const merge = (file) => [process.execPath, CLI, 'merge', file];
const atMost = (name, value, unit, limit, detail) => ({
  name,
  value,
  unit,
  limit: `≤ ${limit}`,
  holds: value <= limit,
  detail,
});
const ms = (value) => `${value.toFixed(0)} ms`;

/** `merge` as a whole process against iprange on the same file. */
export async function wholeProcess({ files, v4 }, folder) {
  const name = `merge of ${v4.length.toLocaleString('en')} IPv4 lines, whole process ÷ iprange`;
  if (!has('iprange'))
    return [{ name, value: Number.NaN, unit: '×', limit: '≤ 0.6', holds: false, detail: 'iprange is not installed' }];
  const [mine, other] = [join(folder, 'ours.txt'), join(folder, 'iprange.txt')];
  const measured = await pairs(
    () => wall(merge(files.v4), mine),
    () => wall(['iprange', files.v4], other),
  );
  const same = sameBytes(mine, other);
  const row = atMost(
    name,
    measured.ratio,
    '×',
    0.6,
    `${ms(measured.ours)} / ${ms(measured.theirs)}, ${same ? 'same bytes' : 'OTHER BYTES'}`,
  );
  return [{ ...row, holds: row.holds && same }];
}

/** Text to minimal prefixes in one process, against cidr-tools on the same lines; IPv6 against IPv4 per line. */
export async function inProcess({ files, v4, v6 }) {
  const time = (work) => {
    const start = performance.now();
    work();
    return performance.now() - start;
  };
  const bytes = { v4: readFileSync(files.v4), v6: readFileSync(files.v6) };
  const ours = (list) => () => time(() => [...readList(list).set.prefixes()]);
  const sets = (list) => () => time(() => readList(list).set);
  const theirs = await pairs(ours(bytes.v4), () => time(() => mergeCidr(v4)));
  const faster = 1 / theirs.ratio;
  const perLine = await pairs(
    () => sets(bytes.v6)() / v6.length,
    () => sets(bytes.v4)() / v4.length,
  );
  return [
    {
      name: "in process: cidr-tools' merge ÷ ours, the same lines",
      value: faster,
      unit: '×',
      limit: '≥ 8',
      holds: faster >= 8,
      detail: `${ms(theirs.theirs)} / ${ms(theirs.ours)}`,
    },
    atMost(
      'in process: IPv6 ÷ IPv4 per line',
      perLine.ratio,
      '×',
      4,
      `${(perLine.ours * 1e6).toFixed(0)} ns / ${(perLine.theirs * 1e6).toFixed(0)} ns`,
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
