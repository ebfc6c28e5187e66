import { test } from 'vitest';
import { FORMATS } from '../../src/sources/feeds/formats/index.js';
async function* once(t: string){ yield Buffer.from(t); }
const opt: any = { csv:{column:1}, json:{paths:['a[]']}, ndjson:{field:'a'}, keyword:{keyword:'x'} };
const lines: Record<string,string> = {
 blanks: ' '.repeat(65000)+'x', tabs:'1.2.3.4'+'\t'.repeat(60000)+'x', digits:'1'.repeat(65000), dots:'1.'.repeat(32000), at:'http://'+'a'.repeat(65000), colons:':'.repeat(65000), quotes:'"'.repeat(65000), commas:'","'.repeat(20000), br: '['.repeat(65000), nbsp:'\u00a0'.repeat(65000)+'x', hash: ' #'.repeat(30000)+'\u2028' };
test('speed', async () => {
 for (const [n,f] of Object.entries(FORMATS)) for (const [k,l] of Object.entries(lines)) {
  const t=performance.now(); try { await f.read(once(l+'\n'+l+'\n'), opt[n]??{}); } catch(e) {}
  const d=performance.now()-t; if (d>30) console.log(n,k,d);
 }
 const small: Record<string,string>={dshield:'192.0.2.0\t192.0.2.255\t24\n', csv:'192.0.2.1,a,b\n', 'host-port':'192.0.2.1:44\n', rbldnsd:'192.0.2.1\n', url:'http://192.0.2.1/\n', p2p:'a:192.0.2.1-192.0.2.2\n', keyword:'x 192.0.2.1\n', ndjson:'{"a":"192.0.2.1"}\n', delegated:'ripencc|DE|ipv4|192.0.2.0|256|20200101|allocated|a1b2c3d4\n','integer-range':'5,6\n', plain:'192.0.2.1-192.0.2.9 \n'};
 for (const [n,l] of Object.entries(small)) { const t=performance.now(); await FORMATS[n as 'csv'].read(once(l.repeat(100000)), opt[n]??{}); console.log(n,'100k lines', performance.now()-t); }
}, 600000);
