import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { Namespace } from './namespace.js';
import { doorAt, isOpen, opened, reviewOn } from './port-review.js';
import { must, until } from './processes.js';
import { describeSystem, systemTest } from './requirements.js';
import { WHOLE_HOST, WholeHost } from './whole-host.js';

const HOST = '192.0.2.10';

/** A host with ports open on purpose, and somebody at the other end of a cable. */
async function wired() {
  const [host, client] = [await WholeHost.start('nothing'), await Namespace.create()];
  const ends = ['wire', 'netns', String(host.init), 'type', 'veth', 'peer', 'name', 'wire', 'netns', client.name];
  await must(['ip', 'link', 'add', ...ends]);
  for (const line of [`addr add ${HOST}/24 dev wire`, 'link set wire up']) await host.must(['ip', ...line.split(' ')]);
  await client.ip('addr add 192.0.2.1/24 dev wire', 'link set wire up');
  return {
    host,
    client,
    pid: await opened(
      host,
      [5001, 5002, 5003, 5004].map((port) => `tcp,0.0.0.0,${port}`),
    ),
  };
}

describeSystem('check ports beside ufw', [...WHOLE_HOST, 'ufw', 'nft'], () => {
  let stage: Awaited<ReturnType<typeof wired>>;
  beforeAll(async () => {
    stage = await wired();
    await stage.host.must(['ufw', '--force', 'enable']);
  });
  afterAll(async () => {
    await stage.host.remove();
    await stage.client.remove();
  });

  const CASES: ReadonlyArray<readonly [port: number, rules: readonly string[], command: string]> = [
    [5001, ['allow 5001/tcp'], 'ufw delete allow 5001/tcp && ufw prepend deny 5001/tcp'],
    [5002, ['limit 5002/tcp'], 'ufw delete limit 5002/tcp && ufw prepend deny 5002/tcp'],
    [5003, ['allow 5000:5100/tcp'], 'ufw prepend deny 5003/tcp'],
    // A denial that comes too late.
    [5004, ['allow 5000:5100/tcp', 'deny 5004/tcp'], 'ufw delete deny 5004/tcp && ufw prepend deny 5004/tcp'],
  ];
  for (const [port, rules, command] of CASES) {
    systemTest(`closes what ${rules.join(', ')} opens`, [], async () => {
      const { host, client } = stage;
      for (const rule of rules) await host.must(['ufw', ...rule.split(' ')]);
      expect(await isOpen(client, HOST, port)).toBe(true);
      const { close } = doorAt(await reviewOn(host), port);
      expect(close).toBe(command);
      await host.paste(close ?? '');
      expect(await isOpen(client, HOST, port)).toBe(false);
    });
  }
});

describeSystem('check ports beside firewalld', [...WHOLE_HOST, 'firewall-cmd', 'dbus-daemon', 'nft'], () => {
  let stage: Awaited<ReturnType<typeof wired>>;
  const ask = (...args: readonly string[]) => stage.host.must(['firewall-cmd', ...args]);
  beforeAll(async () => {
    stage = await wired();
    const { host } = stage;
    await host.must(['mkdir', '-p', '/run/dbus']);
    await host.must(['dbus-daemon', '--system', '--fork']);
    host.start(['firewalld', '--nofork', '--nopid']);
    const isRunning = async () => (await host.run(['firewall-cmd', '--state'])).status === 0;
    await until('firewalld runs', isRunning, 30_000);
    await ask('--permanent', '--zone=public', '--add-interface=wire');
    await ask('--permanent', '--new-service=mine');
    await ask('--permanent', '--new-service=bundle');
    await ask('--permanent', '--service=mine', '--add-port=5002/tcp');
    await ask('--permanent', '--service=bundle', '--add-include=mine');
  });
  afterAll(async () => {
    await stage.host.remove();
    await stage.client.remove();
  });
  afterEach(async () => {
    await ask('--permanent', '--zone=public', '--set-target=default');
    await ask('--reload');
  });

  const LINE = 'firewall-cmd --permanent --zone=public';
  const drop = (port: number) => `${LINE} --add-rich-rule='rule port port="${port}" protocol="tcp" drop'`;
  const CASES: ReadonlyArray<readonly [port: number, opening: readonly string[], command: string]> = [
    [5001, ['--add-port=5001/tcp'], `${LINE} --remove-port=5001/tcp`],
    [5002, ['--add-service=mine'], `${LINE} --remove-service=mine`],
    [5002, ['--add-service=bundle'], `${LINE} --remove-service=bundle`],
    [
      5002,
      ['--add-port=5002/tcp', '--add-service=mine'],
      `${LINE} --remove-port=5002/tcp && ${LINE} --remove-service=mine`,
    ],
    [5003, ['--add-port=5003-5005/tcp'], drop(5003)],
    [5004, ['--set-target=ACCEPT'], drop(5004)],
  ];
  for (const [port, opening, command] of CASES) {
    systemTest(`closes what ${opening.join(' ')} opens`, [], async () => {
      const { host, client } = stage;
      for (const each of opening) await ask('--permanent', '--zone=public', each);
      await ask('--reload');
      expect(await isOpen(client, HOST, port)).toBe(true);
      const { close } = doorAt(await reviewOn(host), port);
      expect(close).toBe(`${command} && firewall-cmd --reload`);
      await host.paste(close ?? '');
      expect(await isOpen(client, HOST, port)).toBe(false);
    });
  }

  systemTest('what no zone opens is said, and ended by itself', [], async () => {
    await opened(stage.host, ['tcp,0.0.0.0,5010']);
    const { close, note, openers } = doorAt(await reviewOn(stage.host), 5010);
    expect(await isOpen(stage.client, HOST, 5010)).toBe(false);
    expect([close, note]).toEqual([`kill ${openers[0]?.pid}`, 'firewalld opens it in no zone that is in use']);
  });
});
