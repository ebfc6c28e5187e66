import { BlocklistError, ExitStatus } from '../errors.js';
import { escapeText } from '../io/escape.js';
import { grouped } from '../io/figures.js';
import { networksJson, networksText } from '../report/networks.js';
import { findNetworks } from '../sources/geo/find.js';
import { tableOnDisk } from '../sources/geo/offline.js';
import { type Command, say } from './context.js';
import { openProject } from './project.js';

/** Networks by the name of their organisation, ready to be pasted: a company's subsidiaries abroad have numbers of their own. Asks nobody. */
export const run: Command<{ readonly words: readonly string[] }> = async ({ words, ...options }, context) => {
  const { config, cache } = await openProject(options, context, 'none');
  if (config.geo.asn === undefined) {
    throw new BlocklistError('config-invalid', 'no database of networks is configured', {
      where: config.file,
      hint: 'name one, as a path or an address: geo: {asn: asn.mmdb}; then run: blocklist update',
    });
  }
  const [networks, countries] = [await tableOnDisk(config, cache, 'asn'), await tableOnDisk(config, cache, 'country')];
  if (networks === undefined) {
    throw new BlocklistError('source-never-fetched', 'the database of networks was never fetched on this host', {
      where: config.file,
      hint: 'run: blocklist update',
    });
  }
  const wanted = words.flatMap((word) => word.split(/\s+/)).filter((word) => word !== '');
  if (wanted.length === 0) {
    throw new BlocklistError('bad-usage', 'expected a part of a name, or an AS number', {
      hint: 'for example: blocklist feeds asn "china mobile"',
    });
  }
  const found = findNetworks(networks, countries, wanted);
  if (options.json === true) context.stdout.write(`${JSON.stringify(networksJson(wanted, found))}\n`);
  else if (found.length > 0) context.stdout.write(networksText(wanted, found));
  if (found.length > 0) return ExitStatus.done;
  const total = grouped(networks.columns.labels.length);
  say(context, options, `none of ${total} networks has ${escapeText(wanted.join(' '))} in its name`);
  return ExitStatus.differs;
};
