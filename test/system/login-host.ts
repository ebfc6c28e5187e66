import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, Namespace } from './namespace.js';
import { type Background, must, type Ran, until } from './processes.js';
import { CLI } from './requirements.js';

/** Addresses of three countries in the database that ships with blocklist, all of them only inside namespaces. */
export const HOME = '5.9.10.20';
export const LISTED = '1.0.1.5';
export const ABROAD = '200.160.2.3';
const SERVER = '192.0.2.2';
const PORT = 2222;

/**
 * A host of its own, with its own processes, a real sshd (with pam), a real rsyslogd and records of logins, and a client with addresses of three countries. Its `/dev`,
 * `/run`, `/var/log`, `/etc/passwd` are seen by nobody else.
 */
export class LoginHost {
  private constructor(
    readonly folder: string,
    readonly host: Namespace,
    private readonly client: Namespace,
  ) {}

  static async start(): Promise<LoginHost> {
    const folder = await mkdtemp(join(tmpdir(), 'blocklist-logins-'));
    for (const key of ['host', 'user', 'other']) {
      await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)]);
    }
    await writeFile(join(folder, 'authorized'), await readKeys(folder));
    await writeFile(join(folder, 'sshd'), sshdConfig(folder));
    await writeFile(join(folder, 'rsyslog'), rsyslogConfig(folder));
    await must(['chmod', '-R', 'a+rX', folder]);
    await must(['chmod', '600', ...['host', 'user', 'other'].map((key) => join(folder, key))]);
    const host = await Namespace.ofProcesses(MOUNTS);
    const client = await Namespace.create();
    await connect(host, client);
    await host.ip(`addr add ${SERVER}/24 dev wire`, 'link set lo up');
    await client.ip('addr add 192.0.2.1/24 dev wire');
    for (const address of [HOME, LISTED, ABROAD]) {
      await client.ip(`addr add ${address}/32 dev wire`);
      await host.ip(`route add ${address} via 192.0.2.1`);
    }
    const made = new LoginHost(folder, host, client);
    host.start(['rsyslogd', '-n', '-f', join(folder, 'rsyslog'), '-i', '/run/rsyslogd.pid']);
    await until('syslog takes messages', async () => (await host.run(['test', '-S', '/dev/log'])).status === 0);
    host.start(['/usr/sbin/sshd', '-D', '-f', join(folder, 'sshd')]);
    await until(
      'sshd listens',
      async () => (await host.run(['ss', '-Hltn', `sport = ${PORT}`])).stdout.includes('LISTEN'),
      15_000,
    );
    return made;
  }

  /** Comes in from an address, does a command, and goes. */
  async login(from: string, { user = 'root', key = 'user', terminal = false, command = 'true' } = {}): Promise<void> {
    await this.client.must(this.ssh(from, user, key, terminal ? ['-tt', command] : [command]));
  }

  /** Comes in and stays until it is ended. The command says `ready` first. */
  async stay(from: string, { user = 'root', terminal = false, command = '' } = {}): Promise<Background> {
    const line = `echo ready; ${command} sleep 300`;
    const session = this.client.start(this.ssh(from, user, 'user', terminal ? ['-tt', line] : [line]));
    await until(`${user} is in from ${from}`, () => session.output().includes('ready'));
    return session;
  }

  /** Comes in, and what the command says. Any exit status is an answer. */
  come(from: string, command: string): Promise<Ran> {
    return this.client.run(this.ssh(from, 'root', 'user', [command]));
  }

  /** Gives `nobody` a shell. */
  async openNobody(): Promise<void> {
    const line = 's|^\\(nobody:.*:\\).*|\\1/bin/sh|';
    await this.host.must([
      'sh',
      '-c',
      `sed '${line}' /etc/passwd > /run/passwd && mount --bind /run/passwd /etc/passwd`,
    ]);
  }

  /** `blocklist COMMAND…` as somebody pastes it who is in. */
  line(...command: readonly string[]): string {
    return [process.execPath, CLI, ...command, '--config', join(this.folder, 'blocklist.yaml')].join(' ');
  }

  /** Tries keys that the server does not know. */
  async fail(from: string, times: number): Promise<void> {
    for (let i = 0; i < times; i++) await this.client.run(this.ssh(from, 'root', 'host', ['true']));
  }

  private ssh(from: string, user: string, key: string, rest: readonly string[]): string[] {
    const options = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'BatchMode=yes',
      'IdentitiesOnly=yes',
    ];
    const files = ['-F', 'none', '-i', join(this.folder, key), '-b', from, '-p', String(PORT)];
    const [first = '', ...more] = rest;
    const argv = first === '-tt' ? ['-tt', `${user}@${SERVER}`, ...more] : [`${user}@${SERVER}`, ...rest];
    return ['ssh', ...files, ...options.flatMap((option) => ['-o', option]), ...argv];
  }

  blocklist(...command: readonly string[]) {
    return this.host.run([process.execPath, CLI, ...command, '--config', join(this.folder, 'blocklist.yaml')]);
  }

  async configure(yaml: string): Promise<void> {
    await writeFile(join(this.folder, 'list.txt'), `${LISTED}\n`);
    await writeFile(join(this.folder, 'blocklist.yaml'), `${yaml}paths: {cache: cache, state: state}\n`);
  }

  /** Puts a program where only this host sees it. */
  async install(name: string, text: string, folder = '/usr/local/sbin'): Promise<void> {
    await writeFile(join(this.folder, name), text, { mode: 0o755 });
    await this.host.must(['cp', join(this.folder, name), folder]);
  }

  async remove(): Promise<void> {
    await this.client.remove();
    await this.host.remove();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function readKeys(folder: string): Promise<string> {
  const keys = await Promise.all(['user', 'other'].map((key) => readFile(join(folder, `${key}.pub`), 'utf8')));
  return keys.join('');
}

const sshdConfig = (folder: string) =>
  [
    `Port ${PORT}`,
    `HostKey ${folder}/host`,
    `AuthorizedKeysFile ${folder}/authorized`,
    'PidFile none',
    'UsePAM yes',
    'StrictModes no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'LogLevel VERBOSE',
    'MaxAuthTries 20',
    'UseDNS no',
    '',
  ].join('\n');

const rsyslogConfig = (folder: string) =>
  [
    'module(load="imuxsock")',
    `global(workDirectory="${folder}")`,
    'auth,authpriv.* action(type="omfile" file="/var/log/auth.log")',
    '',
  ].join('\n');

/** A /dev with nothing but what these programs need: a socket in the real one would take the messages of this machine. */
const MOUNTS = `
mount --make-rprivate /
mkdir -p /mnt
mount -t tmpfs none /mnt
for node in null zero random urandom tty full; do touch /mnt/$node; mount --bind /dev/$node /mnt/$node; done
mkdir /mnt/pts /mnt/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts /mnt/pts
ln -s pts/ptmx /mnt/ptmx
ln -s /proc/self/fd /mnt/fd
mount --move /mnt /dev
mount -t tmpfs none /run
mkdir /run/sshd
mount -t tmpfs none /var/log
mount -t tmpfs none /usr/local/sbin
mkdir /run/upper /run/work
mount -t overlay overlay -o lowerdir=/usr/sbin,upperdir=/run/upper,workdir=/run/work /usr/sbin
cp /etc/pam.d/sshd /run/pam-sshd
echo 'session optional pam_exec.so quiet /usr/local/sbin/blocklist-on-login' >> /run/pam-sshd
mount --bind /run/pam-sshd /etc/pam.d/sshd
touch /var/log/wtmp /var/log/btmp /var/log/lastlog /run/utmp
chown root:utmp /var/log/wtmp /run/utmp
chmod 664 /var/log/wtmp /run/utmp
`;
