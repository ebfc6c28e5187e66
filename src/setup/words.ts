import { below, SYSTEM_USER } from './layout.js';
import type { Origin } from './marker.js';
import type { Step } from './plan.js';

const WAS: Readonly<Record<Origin, string>> = {
  absent: '',
  ours: ' (from an earlier install)',
  edited: ' (edited since it was installed: those changes are lost)',
  foreign: ' (not written by install: it is lost)',
};

/** A step in words, for the plan that is shown first. */
export function inWords(step: Step, root: string): string {
  switch (step.do) {
    case 'write':
      return `${step.was === 'absent' ? 'write  ' : 'replace'}  ${below(root, step.file.path)}${WAS[step.was]}`;
    case 'make-user':
      return `make     system user ${SYSTEM_USER}, without login`;
    case 'make-folder':
      return folder(step, root);
    case 'remove':
      return `remove   ${below(root, step.path)}`;
    case 'remove-user':
      return `remove   system user ${SYSTEM_USER}`;
    case 'purge':
      return `remove   ${below(root, step.path)} and everything in it`;
    case 'run':
      return `run      ${step.argv.join(' ')}`;
  }
}

function folder({ folder: { path, owner }, exists }: Extract<Step, { do: 'make-folder' }>, root: string): string {
  const who = owner === 'root' ? 'root' : SYSTEM_USER;
  const place = below(root, path);
  return exists ? `chown    ${place} to ${who}` : `make     folder ${place}, owner ${who}, mode 755`;
}
