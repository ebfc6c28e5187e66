import { expect } from 'vitest';
import { systemTest } from '../system/requirements.js';
import { tempFolder } from './temp.js';
import { compiled, scriptOnTmpfs } from './tmpfs.js';

/** write(2) may write less than asked, and does so on a disk that becomes full: the rest must not be forgotten. */
systemTest('a disk that becomes full in the middle of a file keeps the old one', ['root', 'mountns'], async () => {
  const folder = await tempFolder();
  const script = `
    import { readdirSync, readFileSync } from 'node:fs';
    import { writeAtomic } from '${compiled('io/write.js')}';
    const [folder] = process.argv.slice(1);
    let told = 'no error';
    await writeAtomic(folder + '/a', 'n'.repeat(2_000_000)).catch(({ code }) => { told = code; });
    console.log(JSON.stringify({ told, size: readFileSync(folder + '/a').length, names: readdirSync(folder) }));
  `;
  const { stdout } = await scriptOnTmpfs(folder, '1m', 'printf old >"$1/a"', script);
  expect(JSON.parse(stdout)).toEqual({ told: 'file-unwritable', size: 3, names: ['a'] });
});
