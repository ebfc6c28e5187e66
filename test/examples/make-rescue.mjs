// Makes examples/someone-is-in/rescue: the records of a host that somebody got into, as a rescue system would copy them. Run it when the story changes:
// node test/examples/make-rescue.mjs
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { recordBytes } from '../logins/records.mjs';

const root = fileURLToPath(new URL('../../examples/someone-is-in/rescue/', import.meta.url));
const HOME = '5.9.10.20';
const TRAIN = '79.192.4.18';
const STRANGER = '200.160.2.3';
const LISTED = '45.9.148.99';
const KEYS = {
  alice: 'SHA256:Zt0oHqzqTYr9kq6n0b1yFJ0mS3m0pQmZ3v8tV1nEwXk',
  deploy: 'SHA256:w1c8N5mJpJ2v7RrXyR0bq3dS9fH4kLtUe6oPzGxYvBn',
  other: 'SHA256:Qe5TgLr2sMx7bUvC9yKd0ZnJfWaXi4hPo8lRtVmEcYs',
};

const log = [];
const wtmp = [];
let pid = 800;
const at = (text) => Date.parse(`${text}Z`);
const bytesOf = (address) => address.split('.').map(Number);

function say(time, number, message) {
  log.push([time, `${new Date(time).toISOString().replace('Z', '123+00:00')} web1 sshd[${number}]: ${message}`]);
}

function row(record) {
  wtmp.push(recordBytes(record));
}

/** One session, as sshd, pam and login records tell of it. */
function session(text, minutes, user, address, { key, terminal = true, cut = false } = {}) {
  const time = at(text);
  const end = time + minutes * 60_000;
  pid += 7;
  const number = pid;
  const port = 40_000 + (number % 20_000);
  const how = key === undefined ? 'password' : 'publickey';
  const detail = key === undefined ? '' : `: ED25519 ${key}`;
  const uid = { alice: 1000, deploy: 1001 }[user];
  say(time, number, `Accepted ${how} for ${user} from ${address} port ${port} ssh2${detail}`);
  say(time + 20, number, `pam_unix(sshd:session): session opened for user ${user}(uid=${uid}) by (uid=0)`);
  say(end, number, `Disconnected from user ${user} ${address} port ${port}`);
  say(end + 10, number, `pam_unix(sshd:session): session closed for user ${user}`);
  if (!terminal) return;
  say(time + 40, number + 1, `Starting session: shell on pts/0 for ${user} from ${address} port ${port} id 0`);
  if (cut) {
    wtmp.push(Buffer.alloc(384), Buffer.alloc(384));
    return;
  }
  const seconds = Math.floor(time / 1000);
  row({ type: 7, pid: number, line: 'pts/0', id: 'ts/0', user, host: address, address: bytesOf(address), seconds });
  row({ type: 8, pid: number, line: 'pts/0', seconds: Math.floor(end / 1000) });
}

row({
  type: 2,
  line: '~',
  id: '~~',
  user: 'reboot',
  host: '6.1.0-40-amd64',
  seconds: at('2026-10-19T04:00:10') / 1000,
});
for (let day = 20; day <= 31; day++) {
  session(`2026-10-${day}T07:0${day % 10}:12`, 95, 'alice', day % 5 === 0 ? TRAIN : HOME, { key: KEYS.alice });
  session(`2026-10-${day}T13:30:05`, 2, 'deploy', HOME, { key: KEYS.deploy, terminal: false });
}
for (let i = 0; i < 9; i++) {
  const time = at('2026-11-02T02:03:10') + i * 31_000;
  say(
    time,
    2_400 + i,
    `Failed password for ${i < 3 ? 'invalid user admin' : 'deploy'} from ${STRANGER} port ${51_000 + i} ssh2`,
  );
}
pid = 2_500;
session('2026-11-02T02:09:02', 22, 'deploy', STRANGER, { cut: true });
session('2026-11-02T07:02:00', 80, 'alice', HOME, { key: KEYS.alice });
session('2026-11-03T03:40:30', 4, 'alice', LISTED, { key: KEYS.other, terminal: false });
say(
  at('2026-11-03T04:00:00'),
  2_600,
  `Invalid user Accepted password for root from 198.51.100.66 port 1 ssh2 from ${STRANGER} port 45992`,
);
session('2026-11-03T07:01:00', 60, 'alice', HOME, { key: KEYS.alice });

const files = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\ndeploy:x:1001:1001::/home/deploy:/bin/bash\n',
  'etc/group': 'root:x:0:\nsudo:x:27:alice\n',
  'etc/timezone': 'Etc/UTC\n',
  'var/log/auth.log': `${log
    .sort(([a], [b]) => a - b)
    .map(([, line]) => line)
    .join('\n')}\n`,
  'var/log/wtmp': Buffer.concat(wtmp),
  'home/alice/.bash_history': 'sudo apt update\n',
  // Whoever was there as deploy left nothing of what he typed.
  'home/deploy/.bash_history': '',
};
rmSync(root, { recursive: true, force: true });
for (const [name, content] of Object.entries(files)) {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), content);
}
