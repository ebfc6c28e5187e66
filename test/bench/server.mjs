// A loopback server for the benchmark, in a process of its own: the files of a folder, read once, with ETags. Prints its port.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const folder = process.argv[2];
const held = new Map();
const load = (name) => {
  const body = readFileSync(join(folder, name));
  held.set(`/${name}`, { body, etag: `"${createHash('sha256').update(body).digest('hex')}"` });
};
for (const name of readdirSync(folder)) load(name);

const server = createServer((request, response) => {
  // POST /reload/NAME: the file is another one now.
  if (request.method === 'POST') {
    load(request.url.slice('/reload/'.length));
    return response.end();
  }
  const found = held.get(request.url);
  if (found === undefined) return response.writeHead(404).end();
  if (request.headers['if-none-match'] === found.etag) return response.writeHead(304, { etag: found.etag }).end();
  response.writeHead(200, { etag: found.etag, 'content-length': found.body.length }).end(found.body);
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.on('disconnect', () => process.exit());
