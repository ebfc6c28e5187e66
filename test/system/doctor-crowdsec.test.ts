import { chmod, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { doctor } from './doctor.js';
import { LAPI_NEEDS, Lapi } from './lapi.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const KEY = 'Tr0ub4dor-and-3-more';

describeSystem('doctor beside the real CrowdSec', LAPI_NEEDS, () => {
  let lapi: Lapi;
  let project: Project;
  beforeAll(async () => {
    lapi = await Lapi.create();
    await lapi.addBouncer('blocklist', KEY);
    project = await Project.create([{ id: 'mine', lines: ['91.200.1.7'] }]);
  });
  afterAll(async () => {
    await lapi.remove();
    await project.remove();
  });

  async function configure(key: string): Promise<void> {
    await project.write('crowdsec.key', `${key}\n`);
    await chmod(project.path('crowdsec.key'), 0o600);
    await project.write('blocklist.yaml', `sources: {crowdsec: {url: "${lapi.url}", key-file: crowdsec.key}}\n`);
  }

  /** The findings, and what they say. */
  async function examined() {
    const { status, findings } = await doctor(undefined, project, ['crowdsec']);
    expect(JSON.stringify(findings)).not.toContain(KEY);
    return { status, told: findings.map(({ id, state, what }) => `${id} ${state}: ${what}`) };
  }
  const READABLE = 'crowdsec-key good: readable by this user, and not by everybody';

  systemTest('a key that it knows', [], async () => {
    await lapi.decide('-r', '192.0.2.0/24', '-d', '4h');
    await configure(KEY);
    expect(await examined()).toEqual({ status: 0, told: [READABLE, 'crowdsec good: it answers to this key'] });
  });

  systemTest('a key that it does not know, and one that everybody may read', [], async () => {
    await configure('wrong');
    expect(await examined()).toEqual({ status: 1, told: [READABLE, 'crowdsec problem: the server answered 403'] });
    await configure(KEY);
    await chmod(project.path('crowdsec.key'), 0o644);
    const { status, told } = await examined();
    expect([status, told]).toEqual([1, [expect.stringMatching(/^crowdsec-key problem: everybody on this host may/)]]);
    await rm(project.path('crowdsec.key'));
    expect((await examined()).told).toEqual([
      expect.stringMatching(/^crowdsec-key problem: .* is named and not there$/),
    ]);
  });

  systemTest('it runs, and is no source: a remark', [], async () => {
    await project.write('blocklist.yaml', '{}\n');
    const { status, told } = await examined();
    expect([status, told]).toEqual([0, [expect.stringMatching(/^crowdsec note: crowdsec .*is no source$/)]]);
  });

  systemTest('it is a source, and does not run: a problem', [], async () => {
    await configure(KEY);
    await lapi.stop();
    const { status, told } = await examined();
    expect([status, told]).toEqual([1, [READABLE, expect.stringMatching(/^crowdsec problem: .*ECONNREFUSED/)]]);
  });
});
