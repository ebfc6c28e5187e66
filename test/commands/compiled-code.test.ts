import { cp, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tempFolder } from '../io/temp.js';
import { run } from '../system/processes.js';
import { CLI } from '../system/requirements.js';
import { projectWith } from './cli.js';

const COUNTER = fileURLToPath(new URL('count-scripts.cjs', import.meta.url));

/** A run of the program, and of how many of its files V8 took the code that was kept. */
async function counted(args: readonly string[], cwd: string, cli = CLI) {
  const { status, stdout, stderr } = await run([process.execPath, '--require', COUNTER, cli, ...args], { cwd });
  return { status, stdout, ...JSON.parse(/\{.*\}$/.exec(stderr)?.[0] ?? '{}') };
}

test('V8 takes all the code that is kept for the short commands', async () => {
  const list = 'sources: {custom: [{id: own, file: list}], countries: {block: [kp]}}';
  const project = await projectWith(list, { list: '45.9.1.7\n' });
  for (const args of [['--version'], ['--help'], ['merge', 'list'], ['build', '--quiet'], ['why', '45.9.1.7']]) {
    expect([args, await counted(args, project)]).toMatchObject([args, { status: 0, refused: 0, without: 0 }]);
  }
});

test('code that is damaged, cut off, or made of another text is not run', async () => {
  const place = await tempFolder();
  const dist = dirname(CLI);
  for (const part of ['cli.cjs', 'program.cjs', 'program.cjs.code', 'program']) {
    await cp(join(dist, part), join(place, 'dist', part), { recursive: true });
  }
  for (const part of ['package.json', 'node_modules', 'lists'])
    await symlink(join(dist, '..', part), join(place, part));
  const help = () => counted(['--help'], place, join(place, 'dist', 'cli.cjs'));
  expect(await help()).toMatchObject({ taken: 1, refused: 0, without: 0 });

  const program = join(place, 'dist', 'program.cjs');
  const text = await readFile(program, 'utf8');
  // Of the same length, by which alone V8 knows a text.
  await writeFile(program, text.replace('Keeps hostile networks out', 'Keeps hostile networks OUT'));
  const edited = await help();
  expect(edited).toMatchObject({ status: 0, taken: 0, without: 1 });
  expect(edited.stdout).toContain('networks OUT');
  await writeFile(program, text);

  const code = `${program}.code`;
  const sound = await readFile(code);
  for (const at of [0, 4, 9, sound.length >> 1, sound.length - 1]) {
    const damaged = Buffer.from(sound);
    damaged[at] = damaged[at]! ^ 1;
    await writeFile(code, damaged);
    expect([at, await help()]).toMatchObject([at, { status: 0, taken: 0, without: 1 }]);
  }
  await writeFile(code, sound);
  expect(await help()).toMatchObject({ taken: 1 });
  for (const size of [sound.length - 1, 100, 8, 7, 0]) {
    await truncate(code, size);
    expect([size, await help()]).toMatchObject([size, { status: 0, taken: 0, without: 1 }]);
  }
});
