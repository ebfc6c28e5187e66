// npm run mutate: breaks the source in twenty-seven named ways, each in a copy, and sees the suite turn red each time.
// A mutation that no test notices ends the run with status 1.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** name, file, text as it is, text as it becomes, tests that must notice */
const MUTATIONS = [
  [
    'leading zero accepted',
    'src/ip/parse-bytes.ts',
    'if (value !== 0) {',
    'if (value >= 0) {',
    'test/ip/parse.random.test.ts',
  ],
  [
    'adjacent ranges not joined',
    'src/ip/range-appender.ts',
    'starts[i + 1]! <= ends[i]! + 1',
    'starts[i + 1]! <= ends[i]!',
    'test/ip/builder.test.ts',
  ],
  [
    'blocks narrower than they could be',
    'src/ip/decompose.ts',
    'Math.min(aligned, differing - 1)',
    'Math.max(0, Math.min(aligned, differing - 1) - 1)',
    'test/ip/decompose.test.ts',
  ],
  [
    'host bits kept',
    'src/ip/words.ts',
    'a[i + k] = (a[i + k]! & ~mask) >>> 0;',
    'found |= 0;',
    'test/ip/words.test.ts',
  ],
  [
    'second zero run compressed',
    'src/ip/format.ts',
    'end - k > run',
    'end - k >= run',
    'test/ip/format.test.ts test/ip/parse.random.test.ts',
  ],
  [
    'mapped addresses stay IPv6',
    'src/ip/entry.ts',
    'if (p >= 0 && slot.family === IPV6) unmap(slot);',
    '',
    'test/ip/parse.random.test.ts test/ip/parse.test.ts',
  ],
  ['allow does not win', 'src/build/build.ts', 'input.neverBlock.union(input.allow)', 'input.neverBlock', 'test/build'],
  [
    'a web page passes as a list',
    'src/sources/guards.ts',
    "throw new BlocklistError('source-html'",
    "void new BlocklistError('source-html'",
    'test/sources/guards.test.ts test/sources/file.test.ts',
  ],
  [
    'script checked only by its length',
    'src/apply/artefact.ts',
    'if (differing >= 0) {',
    'if (differing >= script.length) {',
    'test/apply/artefact-store.test.ts',
  ],
  [
    'set flushed but not refilled',
    'src/render/commands.ts',
    '.filter(({ prefixes }) => prefixes.size > 0)',
    ".filter(({ name, prefixes }) => name !== 'nets4' && prefixes.size > 0)",
    'test/render',
  ],
  [
    'half of a list may go',
    'src/sources/guards.ts',
    'now < then * limits.shrink',
    'now < 0 * limits.shrink',
    'test/sources/guards.test.ts',
  ],
  [
    'an allow feed may open everything',
    'src/sources/guards.ts',
    'if (share <= limit) continue;',
    'if (share >= 0) continue;',
    'test/sources/guards.test.ts',
  ],
  [
    'private addresses are asked',
    'src/io/http-target.ts',
    'return !special.has(',
    'return true || special.has(',
    'test/io/http-target.test.ts',
  ],
  [
    'publishers are asked at any time',
    'src/sources/fetcher.ts',
    "urgency === 'polite' && due !== 'now'",
    "urgency === 'force' && due !== 'now'",
    'test/sources/fetcher.test.ts',
  ],
  [
    'one node more makes a net dense',
    'src/ip/dense.ts',
    'if (count >= atLeast)',
    'if (count > atLeast)',
    'test/ip/dense.test.ts',
  ],
  [
    'a damaged gzip passes',
    'src/io/archive.ts',
    'if (!isWhole) throw damaged(where);',
    'void isWhole;',
    'test/io/archive.test.ts',
  ],
  [
    'two halves pass for a block',
    'src/ip/canonical.ts',
    'const isSameSize = lengths[i] === lengths[i - 1];',
    'const isSameSize = false;',
    'test/ip/canonical.test.ts',
  ],
  [
    'a move into a net in one transaction',
    'src/apply/plan.ts',
    'hasMovesIntoNets(artefact.sets, changes) ? 2 : 1',
    'hasMovesIntoNets(artefact.sets, changes) ? 1 : 1',
    'test/apply/plan.test.ts',
  ],
  [
    'nobody is locked out',
    'src/apply/lockout.ts',
    'if (net !== undefined) return [',
    'if (net === null) return [',
    'test/apply/lockout.test.ts',
  ],
  [
    'a ban ends with the first of its wishes',
    'src/apply/local-sets.ts',
    'covered = covered.union(mine);',
    'covered = mine;',
    'test/apply/local-sets.test.ts',
  ],
  [
    'a ban stays a moment after its end',
    'src/sources/bans/in-force.ts',
    'until > at',
    'until >= at',
    'test/sources/bans/ban-source.test.ts',
  ],
  [
    'who is elsewhere is not kept from locking himself out',
    'src/apply/lockout.ts',
    'return isFree || isIn ? [] :',
    'return isFree || !isIn ? [] :',
    'test/apply/lockout.test.ts',
  ],
  [
    'a name may look like a login',
    'src/logins/services/sshd.ts',
    "return LOOKS_ACCEPTED.test(message) ? { kind: 'injected' } : undefined;",
    "return LOOKS_ACCEPTED.test(message) ? { kind: 'login', user: 'root' } : undefined;",
    'test/logins/log-file.test.ts',
  ],
  [
    'whoever calls himself sshd is believed',
    'src/logins/journal.ts',
    "return uid === '0' && (",
    "return uid !== '' && (",
    'test/logins/journal.test.ts',
  ],
  [
    'a login with a finding is learned',
    'src/check/logins/review.ts',
    'own.every(({ fingerprint }) => input.isAccepted(fingerprint))',
    'own.every(({ fingerprint }) => fingerprint !== undefined)',
    'test/check/logins/rules.test.ts',
  ],
  [
    'what was not read is clean',
    'src/check/finding.ts',
    "return coverage === 'complete' ? ExitStatus.done",
    'return coverage !== undefined ? ExitStatus.done',
    'test/check',
  ],
  [
    'a shorter file has only grown',
    'src/logins/growth.ts',
    'now >= before.size && (await has(path, before))',
    'now >= 0 || (await has(path, before))',
    'test/logins/growth.test.ts',
  ],
];

const PARTS = [
  'src',
  'test',
  'lists',
  'examples',
  'package.json',
  'tsconfig.json',
  '.bundle.mjs',
  '.dependency-cruiser.cjs',
];
/** Two copies at once keep two cores busy. */
const LANES = 2;

function copyOfAll() {
  const copy = mkdtempSync(join(tmpdir(), 'mutations-'));
  for (const name of PARTS) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Exit status of a program whose output nobody reads. */
function ended(copy, argv) {
  const options = { cwd: copy, stdio: 'ignore', env: { ...process.env, CI: '' } };
  return new Promise((resolve, reject) => {
    spawn(argv[0], argv.slice(1), options).on('error', reject).on('close', resolve);
  });
}

/** Whether a test fails. The program is built once, unbroken: the tests that must notice read the source itself. */
async function isRed(copy, tests) {
  const argv = ['vitest', 'run', '--config', 'test/vitest.config.ts', '--bail', '1', ...tests.split(' ')];
  // A mutation may loop for ever; timeout(1) ends the whole group.
  return (await ended(copy, ['timeout', '--kill-after=5', '240', 'npx', ...argv])) !== 0;
}

const copies = Array.from({ length: LANES }, copyOfAll);
let unnoticed = 0;
try {
  await Promise.all(copies.map((copy) => ended(copy, ['npm', 'run', '--silent', 'build'])));
  // Red means something only where the same tests are green before.
  const all = [...new Set(MUTATIONS.flatMap(([, , , , tests]) => tests.split(' ')))].join(' ');
  if (await isRed(copies[0], all)) throw new Error('the suite is red without any mutation');
  const waiting = [...MUTATIONS];
  const lane = async (copy) => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, file, from, to, tests] = next;
      const path = join(copy, file);
      const source = readFileSync(path, 'utf8');
      if (source.split(from).length !== 2) throw new Error(`${name}: the text to change stands not once in ${file}`);
      writeFileSync(path, source.replace(from, to));
      const isNoticed = await isRed(copy, tests);
      writeFileSync(path, source);
      if (!isNoticed) unnoticed++;
      process.stdout.write(`${isNoticed ? 'red  ' : 'GREEN'} ${name} (${file})\n`);
    }
  };
  await Promise.all(copies.map(lane));
} finally {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true });
}
process.stdout.write(`${MUTATIONS.length - unnoticed} of ${MUTATIONS.length} mutations turn the suite red\n`);
process.exitCode = unnoticed === 0 ? 0 : 1;
