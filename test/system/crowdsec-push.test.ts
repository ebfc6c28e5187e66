import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { LAPI_NEEDS, Lapi, linesOf } from './lapi.js';
import { Namespace } from './namespace.js';
import { type Ran, run } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const KEY = 'Tr0ub4dor-and-3-more';

describeSystem('bans of this host, pushed to the real CrowdSec', [...LAPI_NEEDS, 'root', 'netns', 'nft', 'ip'], () => {
  let lapi: Lapi;
  let namespace: Namespace;
  let web1: Project;
  beforeEach(async () => {
    lapi = await Lapi.create();
    namespace = await Namespace.create();
    web1 = await host('web1');
  });
  afterEach(async () => {
    await lapi.remove();
    await namespace.remove();
    await web1.remove();
  });

  /** A project with a key and a machine of its own. */
  async function host(name: string): Promise<Project> {
    const project = await Project.create([{ id: 'mine', lines: ['91.200.1.7'] }]);
    await lapi.addBouncer(name, `${KEY}-${name}`);
    await project.write('crowdsec.key', `${KEY}-${name}\n`);
    await cp(await lapi.addMachine(`blocklist-${name}`, `${name}.yaml`), project.path('machine.yaml'));
    for (const file of ['crowdsec.key', 'machine.yaml']) await chmod(project.path(file), 0o600);
    await configure(project, ', push: {credentials-file: machine.yaml}');
    return project;
  }

  function configure(project: Project, push: string): Promise<void> {
    const crowdsec = `crowdsec: {url: "${lapi.url}", key-file: crowdsec.key${push}}`;
    const sources = `sources: {custom: [{id: mine, file: lists/mine.txt}], ${crowdsec}}\n`;
    return project.write('blocklist.yaml', `${sources}paths: {rules: rules, cache: cache, state: state}\n`);
  }

  /** `update` on a host of this name. */
  function update(project = web1, name = 'web1', ...options: readonly string[]): Promise<Ran> {
    return run([
      'unshare',
      '-u',
      'sh',
      '-c',
      `hostname ${name} && exec "$@"`,
      'sh',
      ...project.argv('update', ...options),
    ]);
  }

  const ban = (...words: readonly string[]) => web1.done(namespace, 'ban', ...words);
  const pushed = (name = 'web1') => lapi.decisions('--scenario', `blocklist/${name}`);
  const nodes = (project = web1) => linesOf(project.path('rules', 'nodes4.txt'));

  systemTest('off by default', [], async () => {
    await configure(web1, '');
    await ban('45.9.1.7');
    expect(await update()).toMatchObject({ status: 0 });
    expect(await pushed()).toEqual([]);
  });

  systemTest('a run that asks nobody, or others alone, sends nothing', [], async () => {
    await ban('45.9.1.7');
    for (const options of [['--offline'], ['--source', 'mine']]) {
      expect((await update(web1, 'web1', ...options)).stderr).not.toContain('pushed');
    }
    await web1.blocklist(undefined, 'build');
    expect(await pushed()).toEqual([]);
    expect((await update(web1, 'web1', '--source', 'crowdsec')).stderr).toContain('1 added');
  });

  systemTest('are there with the next update, and do not come back from there', [], async () => {
    await ban('45.9.1.7', '--reason', 'port "scan" <b>');
    await ban('45.9.8.0/22', '2a00:1::/48', '--for', '7d');
    await web1.done(namespace, 'allow', '45.9.3.3');
    await ban('45.9.1.6', '--until', '2400-12-31');
    await lapi.decide('-i', '45.9.1.9', '-d', '4h');
    const ran = await update();
    expect(ran.status).toBe(0);
    expect(ran.stderr).toContain('bans pushed to CrowdSec: 4 added, 0 taken back');
    expect(await pushed()).toEqual(['Ip 45.9.1.6', 'Ip 45.9.1.7', 'Range 2a00:1::/48', 'Range 45.9.8.0/22']);
    expect(await nodes()).toEqual(['45.9.1.9', '91.200.1.7']);
    expect(await linesOf(web1.path('rules', 'nets4.txt'))).toEqual([]);
    const alerts = await lapi.cscli('alerts', 'list', '-o', 'json', '--scenario', 'blocklist/web1', '--ip', '45.9.1.7');
    const [alert] = JSON.parse(alerts) as { message: string; decisions: { duration: string; origin: string }[] }[];
    expect(alert?.message).toMatch(/^port "scan" <b> \(\S+\)$/);
    expect(alert?.decisions).toMatchObject([{ origin: 'cscli', duration: expect.stringMatching(/^875\d\dh/) }]);
  });

  systemTest(
    'a second update sends nothing; a ban that was taken back or got another end is followed',
    [],
    async () => {
      await ban('45.9.1.7', '45.9.1.8');
      await update();
      const again = await update();
      expect(again.stderr).not.toContain('pushed');
      await ban('45.9.1.7', '--for', '1d');
      await web1.done(namespace, 'unban', '45.9.1.8');
      expect((await update()).stderr).toContain('1 added, 2 taken back');
      expect(await pushed()).toEqual(['Ip 45.9.1.7']);
      expect((await update()).stderr).not.toContain('pushed');
      await web1.done(namespace, 'unban', '45.9.1.7');
      expect((await update()).stderr).toContain('0 added, 1 taken back');
      expect(await pushed()).toEqual([]);
    },
  );

  systemTest('whom this host lets through nobody else is asked to ban', [], async () => {
    await ban('45.9.8.0/30', '45.9.1.7', '45.9.1.8', '45.9.1.9');
    await web1.done(namespace, 'allow', '45.9.1.7');
    await web1.write('lists/allow.txt', '45.9.8.1\n');
    const more = 'allow: {files: [lists/allow.txt]}\nlocal: {admins: [45.9.1.8]}\n';
    await web1.write('blocklist.yaml', `${await readFile(web1.path('blocklist.yaml'), 'utf8')}${more}`);
    expect((await update()).stderr).toContain('3 added');
    expect(await pushed()).toEqual(['Ip 45.9.1.9', 'Ip 45.9.8.0', 'Range 45.9.8.2/31']);
    await web1.write('lists/allow.txt', '45.9.1.9\n');
    expect((await update()).stderr).toContain('1 added, 3 taken back');
    expect(await pushed()).toEqual(['Range 45.9.8.0/30']);
  });

  systemTest('what CrowdSec lost is there again with the next update', [], async () => {
    await ban('45.9.1.7');
    await update();
    await lapi.cscli('alerts', 'delete', '--all');
    expect(await pushed()).toEqual([]);
    await update();
    expect(await pushed()).toEqual(['Ip 45.9.1.7']);
  });

  systemTest(
    'decisions of others are never touched: by hand, and by another machine under the same name',
    [],
    async () => {
      await lapi.decide('-i', '45.9.1.7', '-d', '4h');
      await lapi.decide('-i', '45.9.1.8', '-d', '4h', '-R', 'blocklist/web1');
      await ban('45.9.1.9');
      await update();
      await web1.done(namespace, 'unban', '45.9.1.9');
      await update();
      expect(await lapi.decisions()).toEqual(['Ip 45.9.1.7', 'Ip 45.9.1.8']);
    },
  );

  systemTest('other hosts take them, and do not push them again', [], async () => {
    const web2 = await host('web2');
    try {
      await ban('45.9.1.7');
      await update();
      expect(await update(web2, 'web2')).toMatchObject({ status: 0 });
      expect(await nodes(web2)).toEqual(['45.9.1.7', '91.200.1.7']);
      expect(await pushed('web2')).toEqual([]);
      await web1.done(namespace, 'unban', '45.9.1.7');
      await update();
      await update(web2, 'web2');
      expect(await nodes(web2)).toEqual(['91.200.1.7']);
    } finally {
      await web2.remove();
    }
  });

  systemTest(
    'a decision of CrowdSec about the same address blocks as soon as our own longer ban is taken back',
    [],
    async () => {
      await ban('45.9.1.7');
      await update();
      await lapi.decide('-i', '45.9.1.7', '-d', '4h');
      await web1.done(namespace, 'unban', '45.9.1.7');
      await update();
      expect(await nodes()).toEqual(['45.9.1.7', '91.200.1.7']);
    },
  );

  systemTest('250 at once arrive, in several requests', [], async () => {
    await ban(...Array.from({ length: 250 }, (_, i) => `45.9.${i}.1`));
    expect((await update()).stderr).toContain('250 added, 0 taken back');
    expect(await pushed()).toHaveLength(250);
    expect((await update()).stderr).not.toContain('pushed');
  });

  systemTest('the nightly update, whose state lies below that of ban, finds them', [], async () => {
    await ban('45.9.1.7');
    await mkdir(web1.path('state', 'update'));
    const argv = ['env', `BLOCKLIST_STATE_DIR=${web1.path('state', 'update')}`, ...web1.argv('update')];
    expect(await run(argv)).toMatchObject({ status: 0, stderr: expect.stringContaining('1 added') });
  });

  systemTest('what goes wrong is told, exit status 3, and keeps neither a ban nor a list back', [], async () => {
    await update();
    await writeFile(web1.path('lists', 'mine.txt'), '91.200.1.8\n');
    await ban('45.9.1.7');
    const credentials = await readFile(web1.path('machine.yaml'), 'utf8');

    await writeFile(web1.path('machine.yaml'), credentials.replace(/password: .*/, 'password: wrong'));
    const refused = await update();
    expect(refused.status).toBe(3);
    expect(refused.stderr).toMatch(
      /^crowdsec: bans were not pushed to CrowdSec: the server answered 401 .*used all the same$/m,
    );
    expect(`${refused.stdout}${refused.stderr}`).not.toContain('wrong');
    expect(await nodes()).toEqual(['91.200.1.8']);

    await writeFile(web1.path('machine.yaml'), 'url: x\n');
    expect(await update()).toMatchObject({ status: 3, stderr: expect.stringContaining('does not hold url, login') });
    await writeFile(web1.path('machine.yaml'), credentials);
    await chmod(web1.path('machine.yaml'), 0o644);
    expect(await update()).toMatchObject({ status: 3, stderr: expect.stringContaining('everybody on this host may') });
    await chmod(web1.path('machine.yaml'), 0o600);

    await lapi.stop();
    const away = await update();
    expect(away.status).toBe(3);
    expect(away.stderr.match(/^crowdsec: /gm)).toHaveLength(1);
    await ban('45.9.1.8');
    await lapi.start();
    expect((await update()).stderr).toContain('2 added');
  });
});
