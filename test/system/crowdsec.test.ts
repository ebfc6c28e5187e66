import { chmod, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { LAPI_NEEDS, Lapi, linesOf } from './lapi.js';
import { liveSet } from './live-sets.js';
import { Namespace } from './namespace.js';
import type { Ran } from './processes.js';
import { until } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const KEY = 'Tr0ub4dor-and-3-more';

describeSystem('decisions of the real CrowdSec', LAPI_NEEDS, () => {
  let lapi: Lapi;
  let project: Project;
  beforeEach(async () => {
    lapi = await Lapi.create();
    await lapi.addBouncer('blocklist', KEY);
    project = await Project.create([{ id: 'mine', lines: ['91.200.1.7'] }]);
    await configure();
  });
  afterEach(async () => {
    await lapi.remove();
    await project.remove();
  });

  async function configure(more = ''): Promise<void> {
    await project.write('crowdsec.key', `${KEY}\n`);
    await chmod(project.path('crowdsec.key'), 0o600);
    await project.write(
      'blocklist.yaml',
      [
        'sources:',
        '  custom: [{id: mine, file: lists/mine.txt}]',
        `  crowdsec: {url: "${lapi.url}", key-file: crowdsec.key${more}}`,
        'paths: {rules: rules, cache: cache, state: state}\n',
      ].join('\n'),
    );
  }

  const update = (...options: readonly string[]) => project.blocklist(undefined, 'update', ...options);
  const rules = (name: string) => linesOf(project.path('rules', `${name}.txt`));

  /** What the source brought, as --json tells it. */
  async function sourceOf(ran: Ran) {
    const { sources } = JSON.parse(ran.stdout) as { sources: Record<string, unknown>[] };
    return sources.find(({ id }) => id === 'crowdsec');
  }

  systemTest(
    'single addresses and whole ranges of both families block; what is deleted there is open again',
    [],
    async () => {
      for (const address of ['45.9.1.7', '2a00:1::7']) await lapi.decide('-i', address, '-d', '4h');
      for (const range of ['45.9.8.0/22', '2a00:1:2::/48']) await lapi.decide('-r', range, '-d', '4h');
      expect(await update()).toMatchObject({ status: 0 });
      expect(await rules('nodes4')).toEqual(['45.9.1.7', '91.200.1.7']);
      expect(await rules('nets4')).toEqual(['45.9.8.0/22']);
      expect(await rules('nodes6')).toEqual(['2a00:1::7']);
      expect(await rules('nets6')).toEqual(['2a00:1:2::/48']);
      await lapi.undecide('-i', '45.9.1.7');
      await lapi.undecide('-r', '45.9.8.0/22');
      expect(await update()).toMatchObject({ status: 0 });
      expect(await rules('nodes4')).toEqual(['91.200.1.7']);
      expect(await rules('nets4')).toEqual([]);
      expect(await rules('nodes6')).toEqual(['2a00:1::7']);
      await lapi.undecide('--all');
      expect(await update()).toMatchObject({ status: 0 });
      expect(await rules('nets6')).toEqual([]);
    },
  );

  systemTest('the kernel holds the whole of a range', ['root', 'netns', 'nft', 'ip'], async () => {
    const namespace = await Namespace.create();
    try {
      await lapi.decide('-r', '45.9.8.0/22', '-d', '4h');
      await update();
      await project.done(namespace, 'apply');
      expect(await liveSet(namespace, 'nets4')).toEqual(['45.9.8.0/22']);
    } finally {
      await namespace.remove();
    }
  });

  systemTest('a decision ends by itself, also when CrowdSec is not there any more', [], async () => {
    await lapi.decide('-i', '45.9.1.7', '-d', '8s');
    await lapi.decide('-i', '45.9.1.8', '-d', '4h');
    await update();
    expect(await rules('nodes4')).toEqual(['45.9.1.7', '45.9.1.8', '91.200.1.7']);
    await lapi.stop();
    await until('the ban is over', async () => {
      await project.blocklist(undefined, 'build');
      return !(await rules('nodes4')).includes('45.9.1.7');
    });
    expect(await rules('nodes4')).toEqual(['45.9.1.8', '91.200.1.7']);
  });

  systemTest('only decisions to ban block; others are told with --verbose', [], async () => {
    await lapi.decide('-i', '45.9.1.7', '-d', '4h', '-t', 'captcha');
    await lapi.decide('-i', '45.9.1.8', '-d', '4h', '-t', 'ban');
    const ran = await update('--verbose');
    expect(ran.status).toBe(0);
    expect(ran.stderr).toContain('crowdsec: 1 left out: not of type ban');
    expect(await rules('nodes4')).toEqual(['45.9.1.8', '91.200.1.7']);
  });

  systemTest('countries and networks block only where the configuration names these scopes', [], async () => {
    await lapi.decide('--scope', 'country', '--value', 'KP', '-d', '4h');
    await lapi.decide('--scope', 'AS', '--value', 'AS4134', '-d', '4h');
    expect(await update()).toMatchObject({ status: 0 });
    expect(await rules('nets4')).toEqual([]);

    await configure(', scopes: [ip, range, country]');
    expect(await update()).toMatchObject({ status: 0 });
    const country = await rules('nets4');
    expect(country).toContain('175.45.176.0/22');
    await lapi.undecide('--value', 'KP');
    await update();
    expect(await rules('nets4')).toEqual([]);
  });

  systemTest('an AS that no database knows is told, and the other decisions block', [], async () => {
    await configure(', scopes: [ip, as]');
    await lapi.decide('--scope', 'AS', '--value', '4134', '-d', '4h');
    await lapi.decide('-i', '45.9.1.7', '-d', '4h');
    const { status, stderr } = await update();
    expect(status).toBe(3);
    expect(stderr).toContain('crowdsec: decisions about networks that no database here knows: AS4134');
    expect(await rules('nodes4')).toEqual(['45.9.1.7', '91.200.1.7']);
  });

  systemTest('only decisions of the origins that are named', [], async () => {
    await lapi.decide('-i', '45.9.1.7', '-d', '4h');
    await configure(', origins: [crowdsec, CAPI]');
    await update();
    expect(await rules('nodes4')).toEqual(['91.200.1.7']);
    await configure(', origins: [crowdsec, cscli]');
    await update();
    expect(await rules('nodes4')).toEqual(['45.9.1.7', '91.200.1.7']);
  });

  systemTest('a longer decision of an origin that is not wanted hides none that is', [], async () => {
    await lapi.decide('-i', '45.9.1.7', '-d', '4h');
    await writeFile(`${lapi.folder}/import.json`, '[{"value": "45.9.1.7", "duration": "10h"}]');
    await lapi.cscli('decisions', 'import', '-i', `${lapi.folder}/import.json`);
    await configure(', origins: [cscli]');
    expect(await update()).toMatchObject({ status: 0 });
    expect(await rules('nodes4')).toEqual(['45.9.1.7', '91.200.1.7']);
  });

  systemTest('a longer decision that is only simulated hides none that is real', [], async () => {
    await lapi.alert('45.9.1.7', '4h', 'real');
    await lapi.alert('45.9.1.7', '10h', 'simulated');
    expect(await update()).toMatchObject({ status: 0 });
    expect(await rules('nodes4')).toEqual(['45.9.1.7', '91.200.1.7']);
  });

  systemTest('two bouncers do not take each other’s news away', [], async () => {
    await lapi.addBouncer('other', 'another-key');
    const news = async () => {
      const headers = { 'X-Api-Key': 'another-key' };
      const answer = await fetch(`${lapi.url}/v1/decisions/stream?startup=false`, { headers });
      return ((await answer.json()) as { new: { value: string }[] | null }).new?.map(({ value }) => value) ?? [];
    };
    await news();
    await lapi.decide('-i', '45.9.1.7', '-d', '4h');
    await update();
    await update();
    expect(await rules('nodes4')).toEqual(['45.9.1.7', '91.200.1.7']);
    expect(await news()).toEqual(['45.9.1.7']);
  });

  systemTest('a wrong key: last good serves, exit status 3; the right one is asked with at once', [], async () => {
    await lapi.decide('-i', '45.9.1.7', '-d', '4h');
    await update();
    await lapi.decide('-i', '45.9.1.8', '-d', '4h');
    await writeFile(project.path('crowdsec.key'), 'wrong\n');
    const refused = await update('--json');
    expect(refused.status).toBe(3);
    expect(await sourceOf(refused)).toMatchObject({ data: 'kept', entries: 1 });
    expect((await update()).stderr).toMatch(/^crowdsec: the server answered 403 .*; last good.* is used$/m);
    expect(await rules('nodes4')).toEqual(['45.9.1.7', '91.200.1.7']);
    await writeFile(project.path('crowdsec.key'), `${KEY}\n`);
    expect(await update()).toMatchObject({ status: 0 });
    expect(await rules('nodes4')).toEqual(['45.9.1.7', '45.9.1.8', '91.200.1.7']);
  });

  systemTest('CrowdSec is stopped: last good serves, exit status 3; never seen: nothing to use', [], async () => {
    await lapi.decide('-i', '45.9.1.7', '-d', '4h');
    await lapi.stop();
    const never = await update();
    expect(never.status).toBe(3);
    expect(never.stderr).toMatch(/^crowdsec: .*; nothing to use$/m);
    await lapi.start();
    expect(await update()).toMatchObject({ status: 0 });
    await lapi.stop();
    expect(await update()).toMatchObject({ status: 3 });
    expect(await rules('nodes4')).toEqual(['45.9.1.7', '91.200.1.7']);
  });
});
