import { isoText } from '../../io/figures.js';
import { type FindingCode, SEVERITIES } from '../finding.js';
import type { Told } from './whole.js';

/** MITRE ATT&CK: valid accounts, clear Linux logs, timestomp, masquerading, brute force. */
const TECHNIQUES: ReadonlyArray<readonly [prefix: string, technique: string]> = [
  ['LOGIN-AFTER-FAILURES', 'T1110'],
  ['LOGIN-', 'T1078'],
  ['WTMP-TIME', 'T1070.006'],
  ['WTMP-', 'T1070.002'],
  ['HISTORY-', 'T1070.003'],
  ['LOG-', 'T1036'],
  ['SESSION-', 'T1021.004'],
];

/** A finding with the field names of the Elastic Common Schema 8; what has no name there is below `blocklist.finding`. */
export function ecsOf(finding: Told, now: number): object {
  const { code, severity, fingerprint, what, evidence, suggest, note, first, last, times, visit, address, isNew } =
    finding;
  const time = isoText(last ?? now);
  const [place] = visit?.places ?? [];
  return {
    '@timestamp': time,
    event: {
      kind: 'alert',
      category: [visit === undefined ? 'intrusion_detection' : 'authentication'],
      type: [visit === undefined ? 'info' : 'start'],
      ...(visit === undefined ? {} : { action: `${visit.service}_login`, outcome: 'success' }),
      severity: SEVERITIES.indexOf(severity) + 1,
    },
    message: what,
    rule: { id: code, name: code },
    ...(visit === undefined
      ? {}
      : {
          user: { name: visit.user },
          source: {
            ...(visit.address === undefined ? { address: visit.peer } : { ip: visit.address, address: visit.address }),
            port: visit.port,
            ...(address?.country === undefined ? {} : { geo: { country_iso_code: address.country.toUpperCase() } }),
            ...(address?.network === undefined
              ? {}
              : { as: { number: address.network.asn, organization: { name: address.network.name } } }),
          },
          related: { user: [visit.user], ip: visit.address === undefined ? [] : [visit.address] },
          process: { pid: visit.pid },
          service: { name: visit.service },
        }),
    ...(place === undefined
      ? {}
      : { log: { file: { path: place.file }, ...(typeof place.at === 'number' ? { offset: place.at } : {}) } }),
    ...techniqueOf(code),
    blocklist: {
      finding: {
        code,
        severity,
        fingerprint,
        isNew,
        first: first === undefined ? null : isoText(first),
        last: last === undefined ? null : isoText(last),
        times,
        suggest,
        note: note ?? null,
        evidence,
      },
    },
  };
}

function techniqueOf(code: FindingCode): object {
  const [, id] = TECHNIQUES.find(([prefix]) => code.startsWith(prefix)) ?? [];
  return id === undefined ? {} : { threat: { framework: 'MITRE ATT&CK', technique: { id: [id] } } };
}
