import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { fetchProgress } from '../../src/io/progress.js';
import { blocklist, projectWith } from '../commands/cli.js';
import { testProxy } from '../sources/proxy.js';
import { sends, testServer } from '../sources/server.js';
import { run } from '../system/processes.js';
import { CLI, systemTest } from '../system/requirements.js';

/** A control sequence with its numbers and its letter, or any other character; ␛ stands for the escape. */
const SEQUENCES = /␛\[([\d;?]*)([A-Za-z])|([^␛]|␛(?!\[))/g;

/** A stream that remembers; with columns it says that it is a terminal. */
class Screen extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly rows = 24;

  constructor(readonly columns?: number) {
    super();
    this.isTTY = columns !== undefined;
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }

  /** What a person would see: every move of the cursor and every erasure is carried out. */
  shown(): string[] {
    const lines: string[] = [''];
    let [row, column] = [0, 0];
    for (const [, params = '', command, text] of this.text.replaceAll('\u001b', '␛').matchAll(SEQUENCES)) {
      const count = Number.parseInt(params, 10);
      if (command === 'A') row = Math.max(0, row - (count || 1));
      else if (command === 'B') row += count || 1;
      else if (command === 'G') column = (count || 1) - 1;
      else if (command === 'K') lines[row] = count === 2 ? '' : (lines[row] ?? '').slice(0, column);
      else if (command === 'J') lines.splice(row, lines.length, (lines[row] ?? '').slice(0, column));
      else if (text === '\n') [row, column] = [row + 1, 0];
      else if (text === '\r') column = 0;
      else if (text !== undefined) {
        lines[row] =
          `${(lines[row] ?? '').padEnd(column).slice(0, column)}${text}${(lines[row] ?? '').slice(column + 1)}`;
        column++;
      }
      while (lines.length <= row) lines.push('');
    }
    return lines.filter((line) => line.trim() !== '');
  }
}

const A_MOMENT_MS = 250;
const moment = () => new Promise((resolve) => setTimeout(resolve, A_MOMENT_MS));

describe('on a terminal', () => {
  test('a bar for all and one for each that runs, with its bytes; those that end go away, and all of them with close', async () => {
    const screen = new Screen(80);
    const progress = await fetchProgress(screen, 'shown');
    progress.begin('first');
    progress.begin('second');
    progress.advance('first', 1_234_567, 2_469_134);
    await moment();
    const running = screen.shown();
    expect(running).toHaveLength(3);
    expect(running[0]).toMatch(/^all sources {18}/);
    expect(running[1]).toMatch(/^first {24}█{12}░{12} 1,234,567 bytes$/);
    expect(running[2]).toMatch(/^second {23}░{24} waiting$/);

    progress.end('first');
    await moment();
    const half = screen.shown();
    expect(half.some((line) => line.startsWith('first '))).toBe(false);
    expect(half[0]).toMatch(/█{12}░{12} fetching/);

    progress.end('second');
    progress.close();
    await moment();
    expect(screen.shown()).toEqual([]);
    // The cursor is there again.
    expect(screen.text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(screen.text.lastIndexOf('\u001b[?25l'));
  });

  test('of unknown size: half a bar, whatever came', async () => {
    const screen = new Screen(80);
    const progress = await fetchProgress(screen, 'shown');
    progress.begin('first');
    progress.advance('first', 10, undefined);
    progress.advance('first', 5000, undefined);
    await moment();
    expect(screen.shown()[1]).toMatch(/█{12}░{12} 5,000 bytes$/);
    progress.close();
  });

  test('no line is wider than the terminal, whatever the id is', async () => {
    const screen = new Screen(80);
    const progress = await fetchProgress(screen, 'shown');
    progress.begin('a'.repeat(63));
    progress.advance('a'.repeat(63), 2 ** 31, 2 ** 31);
    await moment();
    const widths = screen.shown().map((line) => line.length);
    expect(widths).toHaveLength(2);
    for (const width of widths) expect(width).toBeLessThanOrEqual(80);
    progress.close();
  });

  test('more bytes than were promised, an end without a beginning, and nothing at all: no error', async () => {
    const screen = new Screen(80);
    const progress = await fetchProgress(screen, 'shown');
    progress.advance('unknown', 5, 10);
    progress.begin('first');
    progress.advance('first', 20, 10);
    progress.advance('first', 0, 0);
    progress.end('first');
    progress.close();
    await moment();
    expect(screen.shown()).toEqual([]);
    const idle = new Screen(80);
    (await fetchProgress(idle, 'shown')).close();
    expect(idle.shown()).toEqual([]);
  });
});

describe('elsewhere', () => {
  test('a line for each that brought bytes, when it ends', async () => {
    const screen = new Screen();
    const progress = await fetchProgress(screen, 'shown');
    progress.begin('first');
    progress.begin('second');
    progress.advance('first', 5, 10);
    progress.advance('first', 1_234_567, undefined);
    expect(screen.text).toBe('');
    progress.end('second');
    progress.end('first');
    progress.close();
    expect(screen.text).toBe('first: 1,234,567 bytes fetched\n');
  });

  test('a source of two addresses: the bytes of both', async () => {
    // Comments, so that the second is the shorter one.
    const bodies = [`:127.0.0.2:x\n45.9.20.1\n${'# x\n'.repeat(500)}`, ':127.0.0.2:x\n45.9.20.2\n'] as const;
    const server = await testServer((request, response) => {
      const isFirst = request.url?.includes('dnsbl-2') === true;
      setTimeout(() => response.end(bodies[isFirst ? 0 : 1]), isFirst ? 0 : 300);
    });
    const proxy = await testProxy(server, 'to any port');
    const folder = await projectWith('sources: {feeds: [uceprotect-2-3]}');
    const env = { http_proxy: `http://127.0.0.1:${proxy.port}` };
    const { status, stderr } = await blocklist(['update'], { cwd: folder, env });
    expect(status).toBe(0);
    const bytes = bodies[0].length + bodies[1].length;
    expect(stderr).toContain(`uceprotect-2-3: ${bytes.toLocaleString('en')} bytes fetched\n`);
  });

  test.each([undefined, 80])('silent writes nothing, also on a terminal (%s columns)', async (columns) => {
    const screen = new Screen(columns);
    const progress = await fetchProgress(screen, 'silent');
    progress.begin('first');
    progress.advance('first', 5, 10);
    await moment();
    progress.end('first');
    progress.close();
    expect(screen.text).toBe('');
  });
});

const LIST = `${Array.from({ length: 200 }, (_, i) => `45.9.20.${i}`).join('\n')}\n`;

/** A list that takes a second to come. */
async function slowProject(): Promise<string> {
  const server = await testServer((_, response) => {
    response.writeHead(200, { 'content-length': String(LIST.length) });
    response.write(LIST.slice(0, LIST.length / 2));
    setTimeout(() => response.end(LIST.slice(LIST.length / 2)), 1000);
  });
  return projectWith(`sources: {custom: [{id: slowly, url: "${server.origin}/"}]}`);
}

systemTest('blocklist update on a terminal shows a bar, and takes it away', ['script'], async () => {
  const folder = await slowProject();
  const command = `stty cols 100 rows 30; ${process.execPath} ${CLI} update`;
  const { status, stdout } = await run(['env', 'TERM=xterm', 'script', '-qec', command, '/dev/null'], { cwd: folder });
  expect(status).toBe(0);
  const screen = new Screen(100);
  screen.text = stdout.slice(0, stdout.lastIndexOf('source '));
  const plain = stripVTControlCharacters(stdout);
  expect(plain).toMatch(/all sources +░{24}/);
  expect(plain).toMatch(/slowly +█+░+ [\d,]+ bytes/);
  expect(stdout).toContain('\u001b[?25l');
  expect(screen.shown()).toEqual([]);
  expect(plain).toContain('slowly');
});

test.each<[option: string, stderr: string]>([
  ['--verbose', `slowly: ${LIST.length.toLocaleString('en')} bytes fetched\n`],
  ['--quiet', ''],
  ['--json', ''],
])('blocklist update %s, not on a terminal', async (option, stderr) => {
  const server = await testServer(sends(LIST));
  const folder = await projectWith(`sources: {custom: [{id: slowly, url: "${server.origin}/"}]}`);
  const ran = await blocklist(['update', option], { cwd: folder });
  expect(ran.status).toBe(0);
  expect(ran.stderr.startsWith(stderr)).toBe(true);
  if (stderr === '') expect(ran.stderr).toBe('');
});
