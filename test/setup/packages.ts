import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Debian packages that the system tests use, each with the program that shows it is there. */
const PACKAGES: Readonly<Record<string, string>> = {
  nftables: 'nft',
  iprange: 'iprange',
  iproute2: 'ip',
  'iputils-ping': 'ping',
  strace: 'strace',
  // A packet sender is compiled, a certificate made, a second reader of country databases and of unit files asked.
  gcc: 'gcc',
  openssl: 'openssl',
  'mmdb-bin': 'mmdblookup',
  systemd: 'systemd-analyze',
  git: 'git',
  conntrack: 'conntrack',
  'openssh-server': 'sshd',
  'openssh-client': 'ssh',
  // What bans and is read by the update.
  fail2ban: 'fail2ban-server',
  // Two other readers of login records (last is in the same package).
  'util-linux': 'utmpdump',
  // Other firewalls beside ours.
  iptables: 'iptables-nft',
  ufw: 'ufw',
  firewalld: 'firewall-cmd',
  dbus: 'dbus-daemon',
  // What is written down of logins.
  rsyslog: 'rsyslogd',
  // Who is here, by other readers; and who tells logind of it.
  procps: 'w',
  bsdutils: 'script',
  'libpam-systemd': '/usr/share/pam-configs/systemd',
  'systemd-journal-remote': '/lib/systemd/systemd-journal-remote',
};

function missing(): string[] {
  return Object.keys(PACKAGES).filter((name) => {
    const program = PACKAGES[name]!;
    if (program.startsWith('/')) return !existsSync(program);
    return spawnSync('which', [program], { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } }).status !== 0;
  });
}

/** Before the first test: installs what is missing when it may (root, apt-get); otherwise those tests are skipped by name. */
export default function setup(): void {
  const wanted = missing();
  if (wanted.length === 0 || process.getuid?.() !== 0 || spawnSync('which', ['apt-get']).status !== 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  process.stderr.write(`installing for the system tests: ${wanted.join(' ')}\n`);
  try {
    execFileSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore', timeout: 120_000 });
    execFileSync('apt-get', ['install', '-y', '-qq', ...wanted, ...(wanted.includes('gcc') ? ['libc6-dev'] : [])], {
      env,
      stdio: 'ignore',
      timeout: 300_000,
    });
  } catch (error) {
    process.stderr.write(`could not install them: ${String(error)}\n`);
  }
}
