// The rows about `check logins` over a log of a gigabyte full of failures, in both forms of time, against grep for one word on the same file.
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generator } from './data.mjs';
import { pairs, peakMemory, wall } from './measure.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));
const SIZE = 1 << 30;
const SMALL = 1 << 26;
const LIMIT = 5;
const MEMORY_MB = 30;
const USERS = ['root', 'admin', 'test', 'oracle', 'ubuntu', 'git', 'postgres'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const BLOCK = 4000;
/** A login among so many lines of failures. */
const RARE = 100_000;
const KEY = 'SHA256:TCyqLECDAeR/AIeAyRqTxqWWAvp58VIyjoa4zEYyy7I';

const iso = (date) => `${date.toISOString().replace('Z', '123+00:00')}`;
const traditional = (date) =>
  `${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${date.toISOString().slice(11, 19)}`;

/** What sshd writes of one attempt, in turn: as on a server that anybody may knock at. */
function failure(i, next) {
  const address = `45.${next() % 256}.${next() % 256}.${next() % 256}`;
  const user = USERS[i % USERS.length];
  const port = 1024 + (next() % 60_000);
  const end = `from ${address} port ${port}`;
  return [
    `Failed password for invalid user ${user} ${end} ssh2`,
    `pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=${address}  user=${user}`,
    `Failed password for ${user} ${end} ssh2`,
    `Connection closed by authenticating user ${user} ${address} port ${port} [preauth]`,
    `Invalid user ${user} ${end}`,
  ][i % 5];
}

function makeLog(path, size, stamp) {
  const next = generator(11);
  const file = openSync(path, 'w');
  let lines = 0;
  let moment = Date.UTC(2026, 0, 1);
  for (let bytes = 0; bytes < size; ) {
    let text = '';
    for (let i = 0; i < BLOCK; i++) {
      moment += 60;
      const head = `${stamp(new Date(moment))} web1 sshd[${1000 + (next() % 30_000)}]:`;
      text += `${head} ${failure(lines, next)}\n`;
      if (++lines % RARE !== 0) continue;
      text += `${head} Accepted publickey for alice from 5.9.10.20 port 50122 ssh2: ED25519 ${KEY}\n`;
      text += `${head} pam_unix(sshd:session): session opened for user alice(uid=1000) by (uid=0)\n`;
    }
    bytes += writeSync(file, text);
  }
  closeSync(file);
}

export async function loginLog(_lists, folder) {
  const home = join(folder, 'login-log');
  mkdirSync(home);
  const config = join(home, 'blocklist.yaml');
  writeFileSync(config, 'paths: {cache: cache, state: state}\n');
  const args = (file) => [CLI, 'check', 'logins', '--quiet', '--file', file, '--config', config];
  const rows = [];
  for (const [form, stamp] of [
    ['ISO', iso],
    ['RFC 3164', traditional],
  ]) {
    const file = join(home, 'auth.log');
    makeLog(file, SIZE, stamp);
    const measured = await pairs(
      () => wall([process.execPath, ...args(file)]),
      // Into a file: with /dev/null as its output grep stops at the first line.
      () => wall(['grep', '-c', 'Accepted', file], join(home, 'count')),
    );
    rows.push({
      name: `check logins over 1 GiB of failures (${form}), whole process ÷ grep -c Accepted`,
      value: measured.ratio,
      unit: '×',
      limit: `≤ ${LIMIT}`,
      holds: measured.ratio <= LIMIT,
      detail: `${measured.ours.toFixed(0)} ms / ${measured.theirs.toFixed(0)} ms`,
    });
    if (form !== 'ISO') {
      const large = peakMemory(args(file));
      makeLog(file, SMALL, stamp);
      const more = large - peakMemory(args(file));
      rows.push({
        name: 'its memory: 1 GiB more than 64 MiB',
        value: more,
        unit: 'MB',
        limit: `≤ ${MEMORY_MB}`,
        holds: more <= MEMORY_MB,
        detail: `${large.toFixed(0)} MB at most`,
      });
    }
    rmSync(file);
  }
  return rows;
}
