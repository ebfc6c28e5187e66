// The row about login records: a wtmp of a million of them, logins and logouts in turn, read to the end by a process of its own.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileOf, sshLogin } from '../logins/records.mjs';
import { generator } from './data.mjs';
import { median, PAIRS, peakMemory, wall } from './measure.mjs';

const RECORDS = 1_000_000;
const BLOCK = 10_000;
const LIMIT_S = 2;
const READER = fileURLToPath(new URL('../../dist/logins/utmp-file.js', import.meta.url));

/** Hosts as sshd writes them: the text of the address, and for a third its name. */
function block(start, next) {
  const records = [];
  for (let i = 0; i < BLOCK; i += 2) {
    const address = [45, next() % 256, next() % 256, next() % 256];
    const host = i % 3 === 0 ? `host-${address.join('-')}.example.net` : address.join('.');
    const tty = `pts/${next() % 40}`;
    const pid = 1000 + (next() % 4_000_000);
    const seconds = 1_600_000_000 + start + i;
    records.push(sshLogin({ pid, line: tty, user: `user${next() % 200}`, host, address, seconds }));
    records.push({ type: 8, pid, line: tty, seconds: seconds + 1 });
  }
  return fileOf(records);
}

export async function loginRecords(_lists, folder) {
  const file = join(folder, 'wtmp');
  const next = generator(8);
  const blocks = Array.from({ length: RECORDS / BLOCK }, (_, i) => block(i * BLOCK, next));
  writeFileSync(file, Buffer.concat(blocks));
  const script = `
    const { readUtmp } = await import(${JSON.stringify(READER)});
    let events = 0;
    for await (const { kind } of readUtmp(${JSON.stringify(file)}, 'wtmp', Date.now())) if (kind !== 'oddity') events++;
    if (events !== ${RECORDS}) throw new Error(\`\${events} events\`);`;
  const args = ['--input-type=module', '-e', script];
  const took = median(Array.from({ length: PAIRS }, () => wall([process.execPath, ...args]))) / 1000;
  return [
    {
      name: `${RECORDS.toLocaleString('en')} wtmp records, whole process`,
      value: took,
      unit: 's',
      limit: `≤ ${LIMIT_S}`,
      holds: took <= LIMIT_S,
      detail: `${((took * 1e9) / RECORDS).toFixed(0)} ns each, ${peakMemory(args).toFixed(0)} MB at most`,
    },
  ];
}
