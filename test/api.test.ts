import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run } from './system/processes.js';

const root = fileURLToPath(new URL('..', import.meta.url));

async function namesOf(specifier: string): Promise<string[]> {
  const script = `process.stdout.write(Object.keys(await import('${specifier}')).sort().join(' '))`;
  const ran = await run([process.execPath, '--input-type=module', '--eval', script], { cwd: root });
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  return ran.stdout.split(' ');
}

test('blocklist exports what it promises, and nothing else', async () => {
  expect(await namesOf('blocklist')).toEqual([
    'BlocklistError',
    'ErrorCode',
    'ExitStatus',
    'IpSet',
    'IpSetBuilder',
    'build',
    'formatPrefix',
    'loadConfig',
    'parseAddress',
    'parsePrefix',
    'readArtefact',
    'readList',
    'renderArtefact',
    'renderNft',
    'renderNftJson',
    'sourcesOf',
    'specialPurpose',
  ]);
});

test('blocklist/ip has the heart', async () => {
  const names = await namesOf('blocklist/ip');
  for (const name of [
    'IpSet',
    'IpSetBuilder',
    'decompose',
    'formatPrefix',
    'parseAddress',
    'parsePrefix',
    'readList',
  ]) {
    expect(names).toContain(name);
  }
});

test('blocklist/ip runs where no module of node can be loaded', async () => {
  // A loader that refuses every built-in module: what is left is the language.
  const refuse = `export async function resolve(name, context, next) {
    const found = await next(name, context);
    if (found.url.startsWith('node:')) throw new Error('built-in module ' + found.url + ' wanted by ' + context.parentURL);
    return found;
  }`;
  const script = `
    import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(refuse)}));
    const { IpSet, readList } = await import('blocklist/ip');
    const { set } = readList('192.0.2.0/25\\n192.0.2.128/25\\n2001:db8::1\\n');
    process.stdout.write(String(set.equals(IpSet.from(['192.0.2.0/24', '2001:db8::1']))));`;
  const ran = await run([process.execPath, '--input-type=module', '--eval', script], { cwd: root });
  expect(ran).toMatchObject({ status: 0, stdout: 'true', stderr: '' });
});

test('the package does not let anyone reach inside', async () => {
  const script = "import('blocklist/dist/ip/words.js').catch((error) => process.stdout.write(error.code))";
  const ran = await run([process.execPath, '--input-type=module', '--eval', script], { cwd: root });
  expect(ran.stdout).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
});
