import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BlocklistError } from '../errors.js';
import { errnoOf, readWhole } from '../io/read.js';

/** What there is of CrowdSec on this machine. */
export interface CrowdsecHere {
  /** its programs that run: agent and local API are one, each bouncer is another. Escape before showing: a process names itself */
  readonly running: readonly string[];
  /** its local API, by its own files; the usual place where they may not be read or do not say */
  readonly url: string;
}

const FOLDER = '/etc/crowdsec';
const USUAL = 'http://127.0.0.1:8080';

/** Files that name the local API, the surest first: what its clients ask, what a bouncer asks, where the API listens. */
const PLACES: ReadonlyArray<readonly [file: string, key: RegExp]> = [
  ['local_api_credentials.yaml', /^url:(.*)$/m],
  ['bouncers/crowdsec-firewall-bouncer.yaml', /^api_url:(.*)$/m],
  ['config.yaml', /^\s+listen_uri:(.*)$/m],
];

/** comm of proc(5) ends after 15 bytes. */
const CUT_NAMES: Readonly<Record<string, string>> = { 'crowdsec-firewa': 'crowdsec-firewall-bouncer' };
/** Above any file that is looked at. */
const CAP = 1 << 20;

/**
 * @param root `/`; in tests a folder with an `etc` and a `proc` of its own
 * @returns undefined where nothing of it is: no program that runs, and no file
 */
export async function crowdsecHere(root = '/'): Promise<CrowdsecHere | undefined> {
  const texts = await Promise.all(PLACES.map(([file]) => textOf(join(root, FOLDER, file))));
  const running = await runningPrograms(join(root, 'proc'));
  if (running.length === 0 && texts.every((text) => text === undefined)) return undefined;
  const urls = PLACES.map(([, key], i) => serverOf(key.exec(texts[i] ?? '')?.[1]));
  return { running, url: urls.find((url) => url !== undefined) ?? USUAL };
}

async function runningPrograms(proc: string): Promise<string[]> {
  const pids = (await namesIn(proc)).filter((name) => /^\d+$/.test(name));
  const names = await Promise.all(pids.map(async (pid) => (await textOf(join(proc, pid, 'comm')))?.trim() ?? ''));
  const ours = names.filter((name) => /^crowdsec(-|$)/.test(name)).map((name) => CUT_NAMES[name] ?? name);
  return [...new Set(ours)].sort();
}

/** As a client on this host asks for it, without a slash at its end. Whatever else a file may hold, like a socket, names none. */
function serverOf(value = ''): string | undefined {
  const text = value.replace(/\s#.*$/, '').replace(/["'\s]/g, '');
  // listen_uri is a host and a port, or a port alone.
  const full = /^[^/]*:\d+$/.test(text) ? `http://${text.startsWith(':') ? '0.0.0.0' : ''}${text}` : text;
  if (!/^https?:\/\//.test(full) || !URL.canParse(full)) return undefined;
  const { protocol, hostname, port, pathname } = new URL(full);
  const host = /^(0\.0\.0\.0|\[::\])$/.test(hostname) ? '127.0.0.1' : hostname;
  return `${protocol}//${host}${port === '' ? '' : `:${port}`}${pathname}`.replace(/\/+$/, '');
}

/** Empty where it is there and not ours to read. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return (await readWhole(path, CAP))?.toString('utf8');
  } catch (error) {
    if (!(error instanceof BlocklistError)) throw error;
    return errnoOf(error.cause) === 'ENOTDIR' ? undefined : '';
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}
