import { stat } from 'node:fs/promises';
import { BlocklistError } from '../errors.js';
import { linkTarget } from '../io/link.js';
import { type RunResult, run } from '../io/run.js';
import { FOLDERS, PLACE, SYSTEM_USER } from './layout.js';
import type { Found, Step } from './plan.js';
import { enabledUnits, type Manner } from './written-files.js';

/** There when systemd is the init of this host (sd_booted(3)). */
const BOOTED = '/run/systemd/system';

export async function mannerOf(root: string): Promise<Manner> {
  // An image says nothing about who will run it; nearly always it is systemd.
  return root !== '/' || (await isThere(BOOTED)) ? 'systemd' : 'cron';
}

const TIMERS = () => enabledUnits().filter((name) => name.endsWith('.timer'));
const OTHERS = () => enabledUnits().filter((name) => !name.endsWith('.timer'));

const ENABLE = (): Step[] => [
  { do: 'run', argv: ['systemctl', 'daemon-reload'] },
  { do: 'run', argv: ['systemctl', 'enable', '--now', ...TIMERS()] },
  // Not --now: there is nothing to load before the first apply has been confirmed.
  ...OTHERS().map((name): Step => ({ do: 'run', argv: ['systemctl', 'enable', name] })),
];

/** What systemd has to be told after these steps: nothing when no unit changes and all are enabled already. */
export async function enableSteps(steps: readonly Step[]): Promise<Step[]> {
  const isUnit = (step: Step) => step.do === 'write' && step.file.path.startsWith(PLACE.units);
  if (steps.some(isUnit)) return ENABLE();
  const enabled = await asked(['systemctl', 'is-enabled', ...enabledUnits()]);
  const active = await asked(['systemctl', 'is-active', ...TIMERS()]);
  return enabled?.status === 0 && active?.status === 0 ? [] : ENABLE();
}

/** What systemd has to be told before the units are taken away, and afterwards. */
export function disableSteps(removed: readonly Found[]): { readonly before: Step[]; readonly after: Step[] } {
  const isRemoved = (name: string) => removed.some(({ path }) => path === `${PLACE.units}/${name}`);
  const enabled = enabledUnits().filter(isRemoved);
  if (!removed.some(({ path }) => path.startsWith(PLACE.units))) return { before: [], after: [] };
  return {
    before: enabled.length === 0 ? [] : [{ do: 'run', argv: ['systemctl', 'disable', '--now', ...enabled] }],
    after: [{ do: 'run', argv: ['systemctl', 'daemon-reload'] }],
  };
}

/** What is left to whoever builds an image: it needs the user database and systemctl of the image. */
export function remainingInImage(manner: Manner, root: string): string[] {
  const owned = FOLDERS.filter(({ owner }) => owner === 'user').map(({ path }) => path);
  return [
    `systemd-sysusers --root=${root} (or useradd --root ${root} --system ${SYSTEM_USER})`,
    `chroot ${root} chown ${SYSTEM_USER}: ${owned.join(' ')}`,
    ...(manner === 'systemd' ? [`systemctl --root=${root} enable ${enabledUnits().join(' ')}`] : []),
  ];
}

/** Folders with drop-ins of a person for our units (systemctl edit). */
export async function dropIns(found: readonly Found[]): Promise<string[]> {
  const folders = found.filter(({ path }) => path.startsWith(PLACE.units)).map(({ path }) => `${path}.d`);
  const there = await Promise.all(folders.map(isThere));
  return folders.filter((_, i) => there[i]);
}

async function isThere(path: string): Promise<boolean> {
  return (
    (await linkTarget(path)) !== undefined ||
    stat(path).then(
      () => true,
      () => false,
    )
  );
}

async function asked(argv: readonly [string, ...string[]]): Promise<RunResult | undefined> {
  try {
    return await run(argv);
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}
