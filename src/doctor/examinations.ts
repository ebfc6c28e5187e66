import { BlocklistError } from '../errors.js';
import { errnoOf } from '../io/read.js';
import { clock } from './clock.js';
import { configuration } from './configuration.js';
import { type Examination, type Finding, type Host, told } from './contract.js';
import { crowdsec } from './crowdsec.js';
import { disk } from './disk.js';
import { firewalls } from './firewalls.js';
import { ipv6 } from './ipv6.js';
import { memory } from './memory.js';
import { nights } from './nights.js';
import { privileges } from './privileges.js';
import { probe } from './probe.js';
import { programs } from './programs.js';
import { proxy } from './proxy.js';
import { rules } from './rules.js';
import { uncovered } from './uncovered.js';

/** Every examination, in the order in which findings are shown. */
export const EXAMINATIONS: readonly Examination[] = [
  programs,
  privileges,
  probe,
  configuration,
  crowdsec,
  rules,
  nights,
  firewalls,
  uncovered,
  proxy,
  ipv6,
  disk,
  memory,
  clock,
];

/** Findings of these examinations, in their order. One that cannot be carried out is a finding, too. */
export async function examine(examinations: readonly Examination[], host: Host): Promise<Finding[]> {
  return (await Promise.all(examinations.map((each) => carriedOut(each, host)))).flat();
}

async function carriedOut({ name, examine: look }: Examination, host: Host): Promise<Finding[]> {
  try {
    return await look(host);
  } catch (error) {
    // Anything else is a defect of ours, and must look like one.
    if (!(error instanceof Error) || (!(error instanceof BlocklistError) && errnoOf(error) === undefined)) throw error;
    const { hint, where } = error instanceof BlocklistError ? error : { hint: undefined, where: undefined };
    return [
      told(
        name,
        'unknown',
        `${name} could not be examined: ${error.message}`,
        hint ?? `sudo ${host.line('doctor')}`,
        where,
      ),
    ];
  }
}
