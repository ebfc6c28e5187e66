import { chmod, mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { folderWith } from '../commands/cli.js';
import { tempFolder } from '../io/temp.js';
import { doctor, mounted, reportOf } from './doctor.js';
import { connect, Namespace } from './namespace.js';
import { run, until } from './processes.js';
import { Project } from './project.js';
import { CLI, describeSystem, systemTest } from './requirements.js';

const SOURCES = [{ id: 'offenders', lines: ['45.9.0.1', '45.9.1.0/24', '2a00:1::/32'] }];

describeSystem('doctor on real parts', ['root', 'netns', 'nft', 'ip', 'ss'], () => {
  let healthy: Project;
  let quiet: Namespace;
  beforeAll(async () => {
    healthy = await Project.create(SOURCES);
    quiet = await Namespace.create();
    await healthy.done(quiet, 'build');
    await healthy.done(quiet, 'apply');
  });
  afterAll(async () => {
    await quiet.remove();
    await healthy.remove();
  });

  async function copy(): Promise<Project> {
    const project = await Project.copyOf(healthy);
    onTestFinished(() => project.remove());
    return project;
  }
  async function space(): Promise<Namespace> {
    const made = await Namespace.create();
    onTestFinished(() => made.remove());
    return made;
  }

  test('a healthy project: no problem, nothing unseen, status 0', async () => {
    const report = await doctor(quiet, healthy);
    expect(report.findings.filter(({ state }) => state === 'problem' || state === 'unknown')).toEqual([]);
    expect(report.status).toBe(0);
    const absent = [
      'bridges',
      'macvlan',
      'xdp',
      'sriov',
      'flowtable',
      'iptables-legacy',
      'hold',
      'unconfirmed',
      'admins',
    ];
    for (const id of absent) expect({ id, found: report.of(id) }).toEqual({ id, found: [] });
    expect(report.of('probe')).toEqual(['good']);
    expect(report.of('firewalls')).toEqual(['good']);
  });

  test('it changes nothing: neither kernel nor files', async () => {
    const files = async () => run(['find', healthy.folder, '-printf', '%p %s %T@ %m\n']);
    const before = [await quiet.ruleset(), await files()];
    await doctor(quiet, healthy);
    expect([await quiet.ruleset(), await files()]).toEqual(before);
  });

  test('text: a fix below each finding; --quiet leaves out what is good; an unknown examination is exit 2', async () => {
    const { stdout, stderr } = await healthy.blocklist(quiet, 'doctor', '--only', 'nights', '--only', 'programs');
    expect(stdout).toMatch(/^note {5}nights .*\n +do: sudo /m);
    expect(stderr).toBe('0 problems, 1 notes, 0 not examined\n');
    expect((await healthy.blocklist(quiet, 'doctor', '--quiet')).stdout).not.toMatch(/^good/m);
    expect(await healthy.blocklist(quiet, 'doctor', '--only', 'all')).toMatchObject({ status: 2, stdout: '' });
  });

  test('without any configuration it works', async () => {
    const argv = [
      'env',
      'HOME=/nonexistent',
      process.execPath,
      CLI,
      'doctor',
      '--json',
      '--only',
      'config',
      '--only',
      'rules',
    ];
    const { status, of } = reportOf(await run(argv, { cwd: await tempFolder() }));
    expect({ status, config: of('config') }).toEqual({ status: 0, config: ['note'] });
  });

  test('a broken configuration: each mistake with its line', async () => {
    const project = await copy();
    await project.write('blocklist.yaml', 'sources:\n  countrys: {}\npolity: 1\n');
    const { status, of } = await doctor(undefined, project, ['config']);
    expect(of('config')).toEqual([`problem ${project.config}:2`, `problem ${project.config}:3`]);
    expect(status).toBe(1);
  });

  test('an unknown feed, a list that is not there, a configuration that others can write', async () => {
    const project = await copy();
    await project.write('blocklist.yaml', 'sources: {feeds: [ipsum-44], custom: [{id: a, file: gone.txt}]}\n');
    await chmod(project.config, 0o666);
    const { of } = await doctor(undefined, project, ['config', 'privileges']);
    expect(of('config')).toHaveLength(1);
    expect(of('config-files')).toEqual([`problem ${project.path('gone.txt')}`]);
    expect(of('owners')).toEqual([`problem ${project.config}`]);
  });

  test('damaged rules, a boot copy with a flipped byte, an unload by hand', async () => {
    const [project, other] = [await copy(), await space()];
    await project.done(other, 'apply');
    const script = project.path('state/boot/rules/blocklist.nft');
    const bytes = await readFile(script);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(script, bytes);
    expect((await doctor(other, project, ['nights'])).of('boot-copy')).toEqual([
      `problem ${project.path('state/boot/rules')}`,
    ]);
    // What the finding tells to do.
    await rm(project.path('state/boot'), { recursive: true });
    await project.done(other, 'apply');
    expect((await doctor(other, project, ['nights'])).of('boot-copy')).toEqual([]);
    await project.done(other, 'unload', '--yes');
    expect((await doctor(other, project, ['rules'])).of('hold')).toEqual(['note']);
    await project.write('rules/nodes4.txt', '45.9.0.2\n');
    expect((await doctor(other, project, ['rules'])).of('rules')).toEqual([expect.stringContaining('problem')]);
  });

  test('files of next year: the clock is wrong, or was', async () => {
    const project = await copy();
    const path = project.path('rules/manifest.json');
    const soon = Date.now() / 1000 + 40 * 86_400;
    await utimes(path, soon, soon);
    expect((await doctor(undefined, project, ['clock'])).of('clock')).toEqual([`problem ${path}`]);
  });

  test('a bridge with a port is named; once this host routes it, it is not', async () => {
    const other = await space();
    await other.ip('link add br7 type bridge', 'link add g0 type veth peer name g1', 'link set g0 master br7');
    await other.run(['sysctl', '-qw', 'net.bridge.bridge-nf-call-iptables=0']);
    expect((await doctor(other, healthy, ['uncovered'])).of('bridges')).toEqual(['note br7']);
    await other.ip('addr add 192.0.2.1/24 dev br7');
    expect((await doctor(other, healthy, ['uncovered'])).of('bridges')).toEqual([]);
  });

  test('macvlan here, and a namespace with a way out of its own', async () => {
    const [here, router] = [await space(), await space()];
    await connect(here, router);
    await here.ip('link add mv0 link wire type macvlan', 'link add mv1 link wire type macvlan');
    const before = await doctor(here, healthy, ['uncovered']);
    expect(before.of('macvlan')).toEqual(['note mv0', 'note mv1']);
    expect(before.of('namespaces')).not.toContain(`note ${router.name}`);
    await here.ip(`link set mv1 netns ${router.name}`);
    await router.ip('link set mv1 up');
    const after = await doctor(here, healthy, ['uncovered']);
    expect(after.of('namespaces')).toContain(`note ${router.name}`);
    expect(after.of('macvlan')).toEqual(['note mv0']);
  });

  test('tables like those of firewalld and fail2ban are known, and are no problem', async () => {
    const other = await space();
    await other.nft('add table inet firewalld\nadd table inet f2b-table\n');
    const report = await doctor(other, healthy, ['firewalls']);
    expect(report.of('firewalls')).toEqual(['note firewalld', 'note fail2ban']);
    expect(report.status).toBe(0);
  });

  systemTest('rules of iptables-legacy are named', ['iptables-legacy'], async () => {
    const other = await space();
    await other.must(['iptables-legacy', '-A', 'INPUT', '-s', '192.0.2.1', '-j', 'DROP']);
    expect((await doctor(other, healthy, ['firewalls'])).of('iptables-legacy')).toEqual(['note']);
  });

  test('most web connections from one peer: a proxy in front?', async () => {
    const other = await space();
    const server =
      "const s=require('node:net');s.createServer().listen(80,'127.0.0.1',()=>{for(let i=0;i<6;i++)s.connect(80,'127.0.0.1');console.log('up')})";
    const started = other.start([process.execPath, '-e', server]);
    await until('it listens', () => started.output().includes('up'));
    await until('the peer is named', async () => (await doctor(other, healthy, ['proxy'])).of('proxy')[0] === 'note');
  });

  describeSystem('in mount namespaces', ['mountns'], () => {
    systemTest('a plain user: no problem, and what cannot be seen is exit 3', ['setpriv'], async () => {
      // Wherever this checkout is, the user may read it at /mnt.
      const here = mounted('mount --bind "$1" /mnt', dirname(dirname(CLI)));
      const setpriv = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
      const argv = healthy.argv('doctor', '--json').map((word) => (word === CLI ? '/mnt/dist/cli.cjs' : word));
      const report = reportOf(
        await quiet.run([...here, ...setpriv, 'env', 'HOME=/nonexistent', ...argv], { cwd: '/' }),
      );
      expect(report.findings.filter(({ state }) => state === 'problem')).toEqual([]);
      expect(report.of('rights')).toEqual(['note']);
      expect(report.of('firewalls')).toEqual(['unknown']);
      expect(report.of('loaded')).toEqual([expect.stringContaining('unknown')]);
      expect(report.of('namespaces')).toContain('unknown');
      expect(report.of('rules')).toEqual([expect.stringContaining('good')]);
      expect(report.status).toBe(3);
    });

    test('no room for state, and a cache on a read-only file system', async () => {
      const project = await copy();
      await mkdir(project.path('cache'), { recursive: true });
      const places = [project.path('state'), project.path('cache')];
      const mounts = mounted('mount -t tmpfs -o size=1m none "$1"; mount -t tmpfs -o ro none "$2"', ...places);
      const report = await doctor(undefined, project, ['disk'], mounts);
      expect(report.of('disk')).toEqual(places.map((path) => `problem ${path}`));
    });

    /** `nft` is this script; without one it is not there. */
    async function otherNft(script: string | undefined): Promise<string[]> {
      const folder = await folderWith({ nft: script ?? '' });
      await chmod(`${folder}/nft`, 0o755);
      if (script !== undefined)
        return mounted('mount --bind "$1" "$(readlink -f "$2")"', `${folder}/nft`, '/usr/sbin/nft');
      // The folder as it is, without this one name: an overlay with a whiteout.
      await mkdir(`${folder}/upper`);
      await mkdir(`${folder}/work`);
      const shell =
        'mount -t overlay overlay -o "lowerdir=/usr/sbin,upperdir=$1/upper,workdir=$1/work" /usr/sbin; rm /usr/sbin/nft';
      return mounted(shell, folder);
    }

    test('an nft that is too old', async () => {
      const prefix = await otherNft('#!/bin/sh\necho "nftables v0.9.8 (E.D.S.)"\n');
      const report = await doctor(undefined, healthy, ['programs'], prefix);
      expect(report.of('nft')).toEqual(['problem nft']);
      expect(report.status).toBe(1);
    });

    test('no nft at all', async () => {
      const report = await doctor(undefined, healthy, ['programs', 'probe', 'firewalls'], await otherNft(undefined));
      expect(report.of('nft')).toEqual(['problem nft']);
      expect(report.of('probe')).toEqual(['unknown']);
      expect(report.of('firewalls')).toEqual(['unknown']);
    });

    test('an nft that lacks what the rules use: the probe names it', async () => {
      const real = await tempFolder();
      await run(['cp', '/usr/sbin/nft', `${real}/nft`]);
      const script = `#!/bin/sh\ncat > ${real}/in\nif grep -q 'counter' ${real}/in; then echo "Error: syntax error" >&2; exit 1; fi\nexec ${real}/nft "$@" < ${real}/in\n`;
      const report = await doctor(undefined, healthy, ['probe'], await otherNft(script));
      expect(report.of('probe')).toEqual(['problem nft']);
      expect(report.findings[0]?.what).toMatch(/refuses named counters$/);
      await rm(`${real}/in`, { force: true });
    });
  });
});
