// Merges two lists, leaves out what is allowed, and prints the nft script that would block the rest.
// node examples/library/merge.mjs A.txt B.txt
import { readFileSync } from 'node:fs';
import { BlocklistError, build, formatPrefix, IpSet, readList, renderNft, specialPurpose } from 'blocklist';

try {
  const loaded = process.argv.slice(2).map((path) => {
    const { set, report } = readList(readFileSync(path));
    process.stderr.write(`${path}: ${report.entries} entries, ${report.rejected} rejected\n`);
    return { id: path, kind: 'file', direction: 'in', set, counts: report, date: Date.now(), state: 'fresh' };
  });
  const { sets, blocked } = build({
    sources: loaded,
    neverBlock: specialPurpose(),
    allow: IpSet.from(['198.41.0.4', '2606:4700::/32']),
    now: Date.now(),
    limits: { feeds: 0.25, all: 0.6 },
  });
  for (const prefix of blocked.in.prefixes()) process.stderr.write(`blocked: ${formatPrefix(prefix)}\n`);
  process.stdout.write(renderNft(sets));
} catch (error) {
  if (!(error instanceof BlocklistError)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exitCode = error.exitStatus;
}
