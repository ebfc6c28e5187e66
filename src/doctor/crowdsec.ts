import { dirname, join } from 'node:path';
import type { CrowdsecEntry } from '../config/crowdsec-schema.js';
import { BlocklistError } from '../errors.js';
import { type CrowdsecHere, crowdsecHere } from '../host/crowdsec.js';
import { isLoopback } from '../io/http-proxy.js';
import { errnoOf } from '../io/read.js';
import { PLACE, SYSTEM_USER } from '../setup/layout.js';
import type { CrowdsecTrial } from '../sources/bans/crowdsec-trial.js';
import { type Bench, examination, type Finding, good, type Host, told } from './contract.js';
import { barrierTo, readerOf } from './reader.js';

export interface CrowdsecFacts {
  /** the configuration */
  readonly file: string;
  readonly here: CrowdsecHere | undefined;
  /** sources.crowdsec, and what came of trying it */
  readonly used: { readonly entry: CrowdsecEntry; readonly trial: CrowdsecTrial } | undefined;
  /** who updates every night; undefined: whoever looks at this */
  readonly updater: string | undefined;
  /** files with secrets → what keeps the updater out of them: the file or a folder above it */
  readonly barriers: ReadonlyMap<string, string>;
  readonly hasAsnDatabase: boolean;
}

async function gather({ root, config, tryCrowdsec }: Host): Promise<CrowdsecFacts | undefined> {
  if (config instanceof BlocklistError) return undefined;
  const { file, geo, sources } = config;
  const { crowdsec: entry } = sources;
  const updater = file === PLACE.config ? await readerOf(root, SYSTEM_USER) : undefined;
  const barriers = new Map<string, string>();
  for (const { path } of entry === undefined ? [] : secretsOf(entry)) {
    const barrier = updater && (await barrierTo(path, updater));
    if (barrier !== undefined) barriers.set(path, barrier);
  }
  return {
    file,
    here: entry === undefined ? await crowdsecHere(root) : undefined,
    used: entry && { entry, trial: await tryCrowdsec(entry) },
    updater: updater?.name,
    barriers,
    hasAsnDatabase: geo.asn !== undefined,
  };
}

interface Secret {
  readonly id: 'crowdsec-key' | 'crowdsec-push';
  readonly path: string;
  /** what makes the file */
  readonly make: string;
}

function secretsOf(entry: CrowdsecEntry): Secret[] {
  const key = entry['key-file'];
  const made: Secret = { id: 'crowdsec-key', path: key, make: `cscli bouncers add blocklist -o raw > ${key}` };
  const file = entry.push?.['credentials-file'];
  if (file === undefined) return [made];
  return [made, { id: 'crowdsec-push', path: file, make: `cscli machines add blocklist --auto --file ${file}` }];
}

export function judgeCrowdsec(facts: CrowdsecFacts | undefined, bench: Bench): Finding[] {
  // Without a configuration nobody knows whether it is a source; that is told by its own examination.
  if (facts === undefined) return [];
  const { used, here, file, hasAsnDatabase } = facts;
  if (used === undefined) return here === undefined ? [] : judgeUnused(here, file);
  const { entry, trial } = used;
  return [
    ...secretsOf(entry).map((secret) => judgeSecret(secret, problemOf(secret, trial), facts, bench)),
    ...judgeAnswer(entry, trial),
    ...(entry.scopes.includes('as') && !hasAsnDatabase ? [noAsnDatabase(file)] : []),
  ];
}

function problemOf({ id }: Secret, { key, credentials }: CrowdsecTrial): BlocklistError | undefined {
  return id === 'crowdsec-key' ? key : credentials;
}

const KEY_FILE = 'crowdsec.key';

function judgeUnused({ running, url }: CrowdsecHere, file: string): Finding[] {
  if (running.length === 0) return [];
  const what = `${running.join(' and ')} ${running.length === 1 ? 'runs' : 'run'} here, but what CrowdSec decides is no source`;
  const path = join(dirname(file), KEY_FILE);
  const key = `a key, where its local API runs: cscli bouncers add blocklist -o raw > ${path}; chmod 640 ${path}`;
  const entry = `sources: {crowdsec: {url: "${url}", key-file: ${KEY_FILE}}}`;
  return [told('crowdsec', 'note', what, `${key}; and in ${file}: ${entry}`)];
}

function judgeSecret(
  { id, path, make }: Secret,
  problem: BlocklistError | undefined,
  { updater, barriers }: CrowdsecFacts,
  { line }: Bench,
): Finding {
  const errno = errnoOf(problem?.cause);
  if (errno === 'ENOENT')
    return told(id, 'problem', `${path} is named and not there`, `${make}; chmod 640 ${path}`, path);
  // Who may not look does not know whether the other one may read.
  if (errno === 'EACCES' && updater !== undefined) {
    return told(id, 'unknown', `${path} may not be read by this user`, `sudo ${line('doctor')}`, path);
  }
  if (problem !== undefined) return told(id, 'problem', problem.message, problem.hint ?? 'mend it', path);
  const barrier = barriers.get(path);
  if (barrier === undefined) {
    return good(id, `readable by ${updater ?? 'this user'}, and not by everybody`, path);
  }
  const what = `${updater}, who updates every night, may not read ${path}`;
  const isFile = barrier === path;
  const fix = isFile ? `chgrp ${updater} ${path}; chmod 640 ${path}` : `chmod a+x ${barrier}`;
  return told(id, 'problem', isFile ? what : `${what}: ${barrier} keeps it out`, fix, path);
}

function judgeAnswer({ url }: CrowdsecEntry, { answer }: CrowdsecTrial): Finding[] {
  // Why there is no key to ask with is told already.
  if (answer === 'not asked') return [];
  if (answer !== 'good') return [told('crowdsec', 'problem', answer.message, answer.hint ?? 'try again later', url)];
  const { protocol, host } = new URL(url);
  if (protocol === 'https:' || isLoopback(new URL(url))) return [good('crowdsec', 'it answers to this key', url)];
  const what = `it answers to this key, which goes to ${host} as plain text`;
  return [
    told('crowdsec', 'note', what, 'https:// (api.server.tls in its config.yaml), unless the way there is safe', url),
  ];
}

function noAsnDatabase(file: string): Finding {
  const what = 'scopes has as, but without geo.asn nobody knows the networks of an AS: such decisions do not block';
  return told('crowdsec-scopes', 'note', what, `name one in ${file}: geo: {asn: FILE}; or take as out of scopes`, file);
}

export const crowdsec = examination('crowdsec', { gather, judge: judgeCrowdsec });
