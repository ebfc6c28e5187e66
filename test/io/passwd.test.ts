import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findAccount } from '../../src/io/passwd.js';
import { tempFolder } from './temp.js';

async function accountIn(text: string, name = 'blocklist') {
  const file = join(await tempFolder(), 'passwd');
  await writeFile(file, text);
  return findAccount((account) => account.name === name, file);
}

const LINE = 'blocklist:x:990:980:Blocklist:/var/lib/blocklist:/usr/sbin/nologin';

test('an account by its name, the first of two', async () => {
  const found = { name: 'blocklist', uid: 990, gid: 980 };
  expect(await accountIn(`root:x:0:0:root:/root:/bin/bash\n${LINE}\nblocklist:x:1:1:::\n`)).toEqual(found);
  expect(await accountIn(LINE)).toEqual(found);
});

test.each([
  ['nobody of that name', 'blocklists:x:990:980:::\n'],
  ['a comment', `#${LINE}\n`],
  ['no number', LINE.replace('990', 'x')],
  ['no user at all', LINE.replace('990', '')],
  ['a negative number', LINE.replace('990', '-1')],
  ['what the kernel takes for nobody', LINE.replace('990', '4294967295')],
  ['a field less', LINE.replace(':x:', ':')],
  ['a field more', `${LINE}:x`],
  ['an entry of NIS', `+${LINE}\n`],
  ['a CRLF file with a name of spaces', LINE.replace('blocklist:', 'blocklist :')],
])('%s is nobody', async (_what, text) => {
  expect(await accountIn(text)).toBeUndefined();
});

test('no file, no account', async () => {
  expect(await findAccount(() => true, '/nonexistent/passwd')).toBeUndefined();
});
