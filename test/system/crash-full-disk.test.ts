import { expect } from 'vitest';
import { tempFolder } from '../io/temp.js';
import { compiled, scriptOnTmpfs } from '../io/tmpfs.js';
import { CLI, describeSystem, systemTest } from './requirements.js';

/** Builds on a disk of its own, and tells after each step the exit status, the artefact, and what else is there. */
const STEPS = `
  import { spawnSync } from 'node:child_process';
  import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
  import { readArtefact } from '${compiled('apply/artefact-store.js')}';
  const [folder] = process.argv.slice(1);
  const told = {};
  const blocks = (from, count) => Array.from({ length: count }, (_, i) => from + '.' + (i >> 8) + '.' + (i & 255) + '.1\\n').join('');
  const fill = () => {
    try {
      writeFileSync(folder + '/ballast', Buffer.alloc(4 << 20));
    } catch {}
    try {
      for (;;) writeFileSync(folder + '/ballast', Buffer.alloc(1), { flag: 'a' });
    } catch {}
  };
  const build = async (step) => {
    const { status, stderr } = spawnSync(process.execPath, ['${CLI}', 'build', '--quiet'], { cwd: folder });
    const left = readdirSync(folder + '/rules').filter((name) => /\\.\\d+$/.test(name));
    try {
      const { sets } = await readArtefact(folder + '/rules');
      told[step] = { status, nodes: sets.in.nodes4.size, left, said: String(stderr).trim() };
    } catch ({ code, message }) {
      told[step] = { status, code, message, left, said: String(stderr).trim() };
    }
  };
  writeFileSync(folder + '/blocklist.yaml', 'sources: {custom: [{id: a, file: a.txt}]}\\npaths: {cache: cache, state: state}\\n');
`;

describeSystem('a disk of a megabyte', ['root', 'mountns'], () => {
  systemTest('that is full: the old artefact stays, and the build goes on when there is space', [], async () => {
    const script = `${STEPS}
      writeFileSync(folder + '/a.txt', blocks(5, 10));
      await build('old');
      writeFileSync(folder + '/a.txt', blocks(6, 20));
      fill();
      await build('full');
      rmSync(folder + '/ballast');
      await build('free');
      console.log(JSON.stringify(told));
    `;
    const { stdout, stderr } = await scriptOnTmpfs(await tempFolder(), '1m', ':', script);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      old: { status: 0, nodes: 10, left: [], said: '' },
      full: { status: 5, nodes: 10, left: [], said: expect.stringContaining('ENOSPC') },
      free: { status: 0, nodes: 20, left: [], said: '' },
    });
  });
});
