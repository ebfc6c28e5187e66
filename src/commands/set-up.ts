import { resolve } from 'node:path';
import { BlocklistError } from '../errors.js';
import { carryOut } from '../setup/carry-out.js';
import type { Found, Step } from '../setup/plan.js';
import { inWords } from '../setup/words.js';
import { requireYes } from './ask.js';
import { type Context, type GlobalOptions, say } from './context.js';

/** What install and uninstall have in common. */
export interface SetUpOptions extends GlobalOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly root?: string;
}

/** Absolute path of the tree that is worked on: `/`, or an image. */
export function rootOf({ root }: SetUpOptions, { cwd }: Context): string {
  return root === undefined ? '/' : resolve(cwd, root);
}

/** @throws BlocklistError `no-permission` unless this is root, an image of one's own, or only a plan */
export function requireRoot(command: string, options: SetUpOptions, context: Context): void {
  if (context.uid === 0 || options.dryRun === true || rootOf(options, context) !== '/') return;
  throw new BlocklistError('no-permission', `${command} needs root`, {
    where: command,
    hint: `sudo ${context.self} ${command}; to see the plan only, add --dry-run`,
  });
}

/** @throws BlocklistError `setup-edited` naming files that somebody changed, unless `--force` */
export function requireUnedited(files: readonly Found[], what: string, { force }: SetUpOptions): void {
  if (force === true || files.length === 0) return;
  const names = files.map(({ path, origin }) =>
    origin === 'edited' ? `${path} was edited since it was installed` : `${path} was not written by install`,
  );
  throw new BlocklistError('setup-edited', `${names.join('; ')}; nothing was changed`, {
    where: files[0]?.path ?? '',
    hint: `keep changes in a drop-in, which we never touch (systemctl edit UNIT), or ${what} with --force`,
  });
}

/** Shows the plan, asks, and carries it out. Returns false when it was only shown. */
export async function showAndDo(
  command: string,
  steps: readonly Step[],
  options: SetUpOptions,
  context: Context,
): Promise<boolean> {
  const root = rootOf(options, context);
  const lines = steps.map((step) => inWords(step, root));
  if (options.json === true) {
    const data = { schema: `blocklist/${command}`, version: 1, dryRun: options.dryRun === true, steps: lines };
    context.stdout.write(`${JSON.stringify(data)}\n`);
  } else {
    // Data, not words: with --quiet a plan is still what was asked for.
    context.stdout.write(lines.map((line) => `${line}\n`).join(''));
  }
  if (options.dryRun === true) {
    say(context, options, 'dry run: nothing was changed');
    return false;
  }
  await requireYes('Go on? [y/N] ', options.yes, context);
  for (const step of steps) await carryOut(step, root);
  return true;
}
