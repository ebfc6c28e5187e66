import { z } from 'zod';
import { isPlainServer } from '../../config/crowdsec-schema.js';
import { yamlMap } from '../../config/load.js';
import { BlocklistError } from '../../errors.js';
import { readSecret } from '../key-file.js';

const schema = z.object({
  url: z.string().refine(isPlainServer),
  login: z.string().min(1).max(200),
  password: z.string().min(1).max(1000),
});

/** A machine's account at a local API of CrowdSec. */
export interface Credentials {
  /** without a slash at its end */
  readonly url: string;
  readonly login: string;
  readonly password: string;
}

/**
 * The file that `cscli machines add -f FILE` writes, as CrowdSec's own local_api_credentials.yaml. The password goes to the server that stands
 * beside it, and to no other.
 * @throws BlocklistError `source-key`, `file-unreadable`
 */
export async function readCredentials(path: string): Promise<Credentials> {
  const read = schema.safeParse(yamlMap(await readSecret(path))).data;
  if (read !== undefined) return { ...read, url: read.url.replace(/\/+$/, '') };
  throw new BlocklistError('source-key', `${path} does not hold url, login and password of a machine of CrowdSec`, {
    where: path,
    hint: 'let cscli write it: cscli machines add blocklist --auto --file FILE',
  });
}
