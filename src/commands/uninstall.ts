import { ExitStatus } from '../errors.js';
import { findFiles } from '../setup/plan.js';
import { removalSteps } from '../setup/removal.js';
import { dropIns, mannerOf } from '../setup/systemd.js';
import { type Command, say } from './context.js';
import { requireRoot, requireUnedited, rootOf, type SetUpOptions, showAndDo } from './set-up.js';

export interface UninstallOptions extends SetUpOptions {
  readonly purge?: boolean;
}

/** Takes away what install wrote, and nothing else. The rules stay loaded. */
export const run: Command<UninstallOptions> = async (options, context) => {
  requireRoot('uninstall', options, context);
  const root = rootOf(options, context);
  const found = await findFiles(root);
  requireUnedited(
    found.filter(({ origin }) => origin === 'edited'),
    'uninstall',
    options,
  );
  const removed = found.filter(({ origin }) => origin === 'ours' || origin === 'edited');
  const canTell = root === '/' && (await mannerOf(root)) === 'systemd';
  const steps = await removalSteps(removed, { purge: options.purge === true, root, canTell });
  for (const { path, origin } of found) {
    if (origin === 'foreign') say(context, options, `kept: ${path}, which install did not write`);
  }
  for (const folder of root === '/' ? await dropIns(found) : [])
    say(context, options, `kept: your drop-ins in ${folder}`);
  if (steps.length === 0) {
    say(context, options, 'nothing to do: nothing of install is here');
    return ExitStatus.done;
  }
  if (!(await showAndDo('uninstall', steps, options, context))) return ExitStatus.done;
  if (options.purge !== true)
    say(context, options, 'kept: configuration, rules, lists and state; --purge removes them');
  if (root === '/') say(context, options, `what is loaded stays loaded: ${context.self} unload removes it`);
  return ExitStatus.done;
};
