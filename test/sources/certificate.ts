import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '../io/temp.js';
import { must } from '../system/processes.js';

/** A certificate for 127.0.0.1 and these names that nobody but itself signed; `file` is what NODE_EXTRA_CA_CERTS may name. */
export async function certificate(
  names: readonly string[] = [],
): Promise<{ readonly key: Buffer; readonly cert: Buffer; readonly file: string }> {
  const folder = await tempFolder();
  const [key, file] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const alternatives = ['IP:127.0.0.1', ...names.map((name) => `DNS:${name}`)].join(',');
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', `subjectAltName=${alternatives}`];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await must(['openssl', 'req', '-x509', ...kind, ...subject, '-keyout', key, '-out', file]);
  return { key: await readFile(key), cert: await readFile(file), file };
}
