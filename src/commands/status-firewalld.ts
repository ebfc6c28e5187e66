import { ownFiles, requireFirewalld } from '../apply/firewalld.js';
import { Nft } from '../apply/nft.js';
import { ExitStatus } from '../errors.js';
import { grouped } from '../io/figures.js';
import { table } from '../io/table.js';
import { firewalldDifferences, ipsetsOf, prepareFirewalld } from './apply-firewalld.js';
import { type Command, commandLine, say } from './context.js';
import { openProject } from './project.js';

/** Compares what firewalld was given, and what the kernel has of it, with what was reviewed. Never writes. */
export const run: Command<{ readonly ref?: string }> = async (options, context) => {
  const project = await openProject(options, context, options.ref === undefined ? 'read' : 'none');
  await requireFirewalld();
  const work = await prepareFirewalld(options, project, context);
  const differences = await firewalldDifferences(new Nft(), work, await ownFiles());
  const verdict = differences.length === 0 ? 'in-sync' : 'differs';
  const sets = ipsetsOf(work);
  if (options.json === true) {
    const data = { verdict, differences, sets };
    context.stdout.write(`${JSON.stringify({ schema: 'blocklist/status-firewalld', version: 1, ...data })}\n`);
  } else {
    const rows = sets.map(({ name, prefixes }) => [name, grouped(prefixes)]);
    context.stdout.write(`${table([{ title: 'ipset' }, { title: 'prefixes', align: 'right' }], rows)}\n`);
    for (const each of differences) say(context, { ...options, quiet: false }, `differs: ${each}`);
    const apply = commandLine(context, options, 'apply --target firewalld');
    say(context, options, differences.length === 0 ? 'in sync: firewalld holds exactly this' : `to mend it: ${apply}`);
  }
  return differences.length === 0 ? ExitStatus.done : ExitStatus.differs;
};
