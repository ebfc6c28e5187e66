import { z } from 'zod';
import type { CrowdsecEntry } from '../../config/crowdsec-schema.js';
import { BlocklistError } from '../../errors.js';
import type { HttpClient } from '../../io/http.js';
import { parseJson } from '../../io/json.js';
import { readKey } from '../key-file.js';
import { readCredentials } from './crowdsec-credentials.js';
import { refusalOf } from './crowdsec-refusal.js';

/** What a look at everything that `sources.crowdsec` names brought. */
export interface CrowdsecTrial {
  readonly key: BlocklistError | undefined;
  /** undefined also where nothing is pushed */
  readonly credentials: BlocklistError | undefined;
  /** not asked: there was no key to ask with */
  readonly answer: BlocklistError | 'good' | 'not asked';
}

const TIMEOUT_MS = 5000;
/** Far above what there is to say about one address. */
const CAP = 1 << 20;
/** An address for documentation (RFC 5737): whoever knows the key gets a short answer. */
const NOBODY = '192.0.2.1';

const answerSchema = z.array(z.object({ value: z.string() })).nullable();

/**
 * Reads the secrets, and asks the local API for one address, through what `update` asks it through. Who may push is not tried: a login would take a note
 * of its own there.
 */
export async function tryCrowdsec(entry: CrowdsecEntry, http: Pick<HttpClient, 'download'>): Promise<CrowdsecTrial> {
  const file = entry.push?.['credentials-file'];
  const [key, credentials] = await Promise.all([
    failing(() => readKey(entry['key-file'])),
    file === undefined ? undefined : failing(() => readCredentials(file)),
  ]);
  return {
    key: key instanceof BlocklistError ? key : undefined,
    credentials: credentials instanceof BlocklistError ? credentials : undefined,
    answer: key instanceof BlocklistError ? 'not asked' : await answerOf(entry, key, http),
  };
}

async function answerOf(
  { url, timeout }: CrowdsecEntry,
  key: string,
  http: Pick<HttpClient, 'download'>,
): Promise<BlocklistError | 'good'> {
  const shown = `${url.replace(/\/+$/, '')}/v1/decisions?ip=${NOBODY}`;
  const headers = { 'x-api-key': key };
  const timeoutMs = Math.min(TIMEOUT_MS, timeout * 1000);
  const answer = await failing(() => http.download(shown, { shown, headers, target: 'any', maxBytes: CAP, timeoutMs }));
  if (answer instanceof BlocklistError) return refusalOf(answer, url);
  const body = answer.kind === 'body' ? parseJson(answer.body.toString('utf8')) : undefined;
  if (answerSchema.safeParse(body).success) return 'good';
  return new BlocklistError('source-format', 'what answers there is not CrowdSec', {
    where: url,
    hint: 'check sources.crowdsec.url: cscli lapi status names the address of the local API',
  });
}

/** The value, or the failure as a value. */
async function failing<T>(work: () => Promise<T>): Promise<T | BlocklistError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BlocklistError) return error;
    throw error;
  }
}
