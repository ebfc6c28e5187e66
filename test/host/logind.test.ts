import { expect, test } from 'vitest';
import { logindSessions, parseSession } from '../../src/host/logind.js';
import { folderWith } from '../commands/cli.js';

const SESSION = `# This is private data. Do not parse.
UID=1000
USER=alice
ACTIVE=1
STATE=active
REMOTE=1
TYPE=tty
CLASS=user
SCOPE=session-3.scope
FIFO=/run/systemd/sessions/3.ref
TTY=pts/0
REMOTE_HOST=203.0.113.7
SERVICE=sshd
LEADER=1234
AUDIT=3
REALTIME=1780272000123456
MONOTONIC=5
`;

test('a session as logind writes it down', () => {
  expect(parseSession('3', SESSION)).toEqual({
    ...{ id: '3', user: 'alice', uid: 1000, state: 'active', scope: 'session-3.scope', tty: 'pts/0' },
    ...{ peer: '203.0.113.7', service: 'sshd', first: 1234, audit: 3, since: 1_780_272_000_123.456 },
  });
});

test.each([
  ['in quotes', 'REMOTE_HOST="a\\"b"', { peer: 'a"b' }],
  ['a scope that a shell would mind', 'SCOPE=session-3.scope; x', { scope: undefined }],
  ['a scope of somebody else', 'SCOPE=ssh.service', { scope: undefined }],
  ['no number', 'LEADER=x', { first: undefined }],
  ['no session of audit', 'AUDIT=0', { audit: undefined }],
  ['a terminal with its folder', 'TTY=/dev/tty1', { tty: 'tty1' }],
])('%s', (_, line, expected) => {
  const key = `${line.split('=')[0]}=`;
  const text = SESSION.split('\n').map((each) => (each.startsWith(key) ? line : each));
  expect(parseSession('3', text.join('\n'))).toMatchObject(expected);
});

test.each(['manager', 'background', 'greeter', 'lock-screen', ''])('class %j is no person', (name) => {
  expect(parseSession('3', SESSION.replace('CLASS=user', `CLASS=${name}`))).toBeUndefined();
});

test('those in a folder, without its pipes and what is half written; none where logind does not run', async () => {
  const run = await folderWith({
    'systemd/sessions/10': SESSION,
    'systemd/sessions/3': SESSION,
    'systemd/sessions/3.ref': '',
    'systemd/sessions/.#4abc': SESSION,
    'systemd/sessions/c1': SESSION.replace('CLASS=user', 'CLASS=user-early'),
  });
  expect(logindSessions(run).map(({ id }) => id)).toEqual(['3', '10', 'c1']);
  expect(logindSessions(`${run}/nothing`)).toEqual([]);
});
