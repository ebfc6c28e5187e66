import { type BootPartState, checkBootCopy } from '../apply/boot-copy.js';
import { BlocklistError } from '../errors.js';
import { linkTarget } from '../io/link.js';
import { BOOT_UNIT } from '../setup/boot-unit.js';
import { below, PLACE } from '../setup/layout.js';
import { originOf } from '../setup/marker.js';
import { enabledUnits, everyPath } from '../setup/written-files.js';
import { type Bench, examination, type Finding, good, type Host, told } from './contract.js';
import { attempt, isThere, namesIn, textOf, wordsOf } from './look.js';

export interface NightFacts {
  /** systemd is the init of this host */
  readonly isBooted: boolean;
  /** units of ours that are there, of those that install writes */
  readonly units: readonly { readonly name: string; readonly state: 'ours' | 'edited' | 'absent' | 'masked' }[];
  /** of enabledUnits(), those that are */
  readonly enabled: readonly string[];
  readonly hasCron: boolean;
  readonly hasCronDaemon: boolean;
  /** what the units and the crontab run and what is not there */
  readonly gone: readonly string[];
  /** this configuration is the one that units and crontab run with */
  readonly isOfUnits: boolean;
  /** apply leaves the boot copy where the boot unit looks for it */
  readonly isStateOfUnits: boolean;
  readonly boot: readonly BootPartState[] | BlocklistError;
}

const CRON_DAEMONS = ['/usr/sbin/cron', '/usr/sbin/crond', '/usr/bin/crond', '/usr/sbin/fcron', '/usr/bin/cronie'];

async function gather({ root, folders, config }: Host): Promise<NightFacts> {
  const unitPaths = everyPath().filter((path) => path.startsWith(PLACE.units));
  const daemons = await Promise.all(CRON_DAEMONS.map((path) => isThere(root, path)));
  return {
    isBooted: await isThere(root, '/run/systemd/system'),
    units: await Promise.all(unitPaths.map((path) => unitState(root, path))),
    enabled: await enabledOf(root),
    hasCron: await isThere(root, PLACE.cron),
    hasCronDaemon: daemons.some(Boolean),
    gone: await goneOf(root),
    isOfUnits: !(config instanceof BlocklistError) && config.file === PLACE.config,
    isStateOfUnits: folders.state === PLACE.state,
    boot: await attempt(() => checkBootCopy(folders.state)),
  };
}

async function unitState(root: string, path: string): Promise<NightFacts['units'][number]> {
  const name = path.slice(PLACE.units.length + 1);
  if ((await linkTarget(below(root, path))) === '/dev/null') return { name, state: 'masked' };
  const found = await textOf(root, path);
  const origin = originOf(typeof found === 'object' ? found.text : undefined);
  // Who wrote it does not matter here; that it is not as install wrote it does.
  return { name, state: origin === 'foreign' ? 'edited' : origin };
}

/** systemctl enable makes a link in a folder of the target that wants the unit. */
async function enabledOf(root: string): Promise<string[]> {
  const folders = (await namesIn(root, PLACE.units)).filter((name) => name.endsWith('.wants'));
  const links = (await Promise.all(folders.map((name) => namesIn(root, `${PLACE.units}/${name}`)))).flat();
  return enabledUnits().filter((name) => links.includes(name));
}

/** Programs by absolute path in what runs at night: an update of node or of this package may have taken them away. */
async function goneOf(root: string): Promise<string[]> {
  const unit = await wordsOf(root, `${PLACE.units}/blocklist-update.service`);
  const cron = await wordsOf(root, PLACE.cron);
  const calls = [/^ExecStart=(.*?) update /m.exec(unit)?.[1], / (\/\S.*?) update /.exec(cron)?.[1]];
  const paths = calls.flatMap((call) => (call ?? '').split(' ')).map((word) => word.replace(/^["']|["']$/g, ''));
  const absolute = paths.filter((path) => path.startsWith('/'));
  const there = await Promise.all(absolute.map((path) => isThere(root, path)));
  return absolute.filter((_, i) => !there[i]);
}

function judgeNights(facts: NightFacts, bench: Bench): Finding[] {
  return [...judgeTimers(facts, bench), ...judgeBoot(facts, bench)];
}

function judgeTimers(facts: NightFacts, { self }: Bench): Finding[] {
  const { isBooted, units, enabled, hasCron, hasCronDaemon, gone } = facts;
  const install = `sudo ${self} install`;
  const there = units.filter(({ state }) => state !== 'absent');
  if (there.length === 0 && !hasCron)
    return [told('nights', 'note', 'nothing runs by itself: lists grow old, and rules are gone after a boot', install)];
  const found: Finding[] = [];
  if (there.length > 0 && hasCron)
    found.push(
      told(
        'nights',
        'problem',
        'timers and a crontab are installed: everything runs twice',
        `${install}, which removes the other`,
        PLACE.cron,
      ),
    );
  if (there.length > 0 && there.length < units.length) {
    const absent = units.filter(({ state }) => state === 'absent').map(({ name }) => name);
    found.push(told('nights', 'problem', `not there: ${absent.join(', ')}`, install, PLACE.units));
  }
  for (const { name, state } of there) {
    if (state === 'masked')
      found.push(told('nights', 'problem', `${name} is masked`, `systemctl unmask ${name}`, name));
    if (state === 'edited')
      found.push(
        told(
          'nights',
          'note',
          `${name} was edited: install leaves it as it is`,
          `keep changes in a drop-in: systemctl edit ${name}`,
          name,
        ),
      );
  }
  if (there.length > 0 && !isBooted && !hasCron)
    found.push(
      told('nights', 'problem', 'timers are installed, but systemd does not run here', `sudo ${self} install --cron`),
    );
  const idle = there.length === 0 ? [] : enabledUnits().filter((name) => !enabled.includes(name));
  if (idle.length > 0) {
    const now = idle.every((name) => name === BOOT_UNIT) ? '' : ' --now';
    found.push(
      told('nights', 'problem', `not enabled: ${idle.join(', ')}`, `systemctl enable${now} ${idle.join(' ')}`),
    );
  }
  if (hasCron && !hasCronDaemon)
    found.push(told('nights', 'problem', 'a crontab is installed, but no cron', 'apt-get install cron', PLACE.cron));
  for (const path of gone)
    found.push(told('program', 'problem', `what runs at night calls ${path}, which is not there`, install, path));
  return found.length > 0
    ? found
    : [good('nights', hasCron ? 'cron updates and loads' : 'timers are installed and enabled')];
}

function judgeBoot({ boot, units, hasCron, isOfUnits, isStateOfUnits }: NightFacts, { line }: Bench): Finding[] {
  if (boot instanceof BlocklistError)
    return [told('boot-copy', 'unknown', boot.message, `sudo ${line('doctor')}`, boot.where)];
  const damaged = boot.filter(({ state }) => state === 'damaged');
  if (damaged.length > 0)
    return damaged.map(({ part }) =>
      told(
        'boot-copy',
        'problem',
        `the copy that is loaded at boot is damaged (${part}): it would be refused`,
        line('apply'),
        part,
      ),
    );
  const isUsed = units.some(({ name, state }) => name === BOOT_UNIT && state !== 'absent') || hasCron;
  if (!isUsed || !isOfUnits) return [];
  if (!isStateOfUnits)
    return [
      told(
        'boot-copy',
        'problem',
        `the boot unit reads ${PLACE.boot}, this configuration writes elsewhere`,
        'take paths.state out of the configuration',
      ),
    ];
  if (boot.every(({ state }) => state === 'whole')) return [good('boot-copy', 'whole: plain nft loads it at boot')];
  return [
    told('boot-copy', 'note', 'nothing is loaded at boot: nothing was applied yet, or not for good', line('apply')),
  ];
}

export const nights = examination('nights', { gather, judge: judgeNights });
