import { afterAll, beforeAll } from 'vitest';
import { connect, Namespace } from '../system/namespace.js';
import { until } from '../system/processes.js';
import { describeSystem, systemTest } from '../system/requirements.js';
import { SshServer } from '../system/ssh-server.js';
import { runPage } from './page.js';

const [HOST, ADMIN, STRANGER] = ['192.0.2.10', '203.0.113.7', '198.51.100.66'];
const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** Times go on, processes and the ports of clients have numbers of their own. */
function steady(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'DATE')
    .replace(/(203\.0\.113\.7|198\.51\.100\.66)([: ])\d+/g, '$1$2PORT')
    .replace(/expires [0-9a-z]+/g, 'expires TIME')
    .replace(/\((\d+)\)/g, '(PID)');
}

/** What an intruder may leave: a door of his own. */
const DOOR = "require('node:net').createServer(() => {}).listen(4444, '0.0.0.0', () => console.log('ready'))";
const KNOCK = `require('node:net').connect({ host: '${HOST}', port: 4444, localAddress: '${STRANGER}' }, () => console.log('in')).on('error', () => {})`;

const NEEDS = ['root', 'netns', 'mountns', 'nft', 'ip', 'ss', 'conntrack', 'sshd', 'ssh'];
describeSystem('the page on lockdown', NEEDS, () => {
  let host: Namespace;
  let client: Namespace;
  let server: SshServer;
  beforeAll(async () => {
    [host, client] = [await Namespace.create(), await Namespace.create()];
    await connect(host, client);
    await host.ip(`addr add ${HOST}/24 dev wire`, 'route add default via 192.0.2.1');
    await client.ip(
      'addr add 192.0.2.1/24 dev wire',
      `addr add ${ADMIN}/32 dev wire`,
      `addr add ${STRANGER}/32 dev wire`,
    );
    server = await SshServer.start(host, 22);
    const door = host.start([process.execPath, '-e', DOOR]);
    await until('the door is open', () => door.output().includes('ready'));
    const knock = client.start([process.execPath, '-e', KNOCK]);
    await until('somebody came through it', () => knock.output().includes('in'));
    await server.session(client, 'root', HOST, ['-b', STRANGER]);
  });
  afterAll(async () => {
    await host.remove();
    await client.remove();
    await server.remove();
  });

  systemTest(
    'every command, in a session of the administrator, prints what the page shows',
    [],
    () =>
      runPage('lockdown', {
        atLeast: 8,
        steady,
        runIn: (argv, folder) => {
          const line = `cd ${quoted(folder)} && exec ${argv.map(quoted).join(' ')}`;
          return client.run(server.argv('root', HOST, line, ['-b', ADMIN]));
        },
      }),
    240_000,
  );
});
