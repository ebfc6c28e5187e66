import { BlocklistError } from '../../../errors.js';
import type { ListFormat } from './contract.js';
import { isRecord, parsed, takePaths } from './json.js';
import { newBody, wholeText } from './text.js';

/**
 * RIPEstat's country-resource-list (`data.resources`, where IPv4 may mix blocks and ranges) and announced-prefixes (`data.prefixes`).
 * An answer says itself whether it is one: `status` must be `ok`.
 */
export const ripestat: ListFormat = {
  name: 'ripestat',
  description: 'answers of RIPEstat: country-resource-list and announced-prefixes',
  read: async (chunks) => {
    const text = await wholeText(chunks);
    const { entries, finish } = newBody();
    if (text.trim() === '') return finish();
    const answer = parsed(text);
    const status = isRecord(answer) ? answer.status : undefined;
    if (!isRecord(answer) || status !== 'ok') {
      throw new BlocklistError('source-format', `RIPEstat answers with status ${JSON.stringify(status) ?? 'missing'}`, {
        hint: 'check the country or the AS number in the address of this source',
      });
    }
    const isCountry = isRecord(answer.data) && 'resources' in answer.data;
    takePaths(
      answer,
      isCountry ? ['data.resources.ipv4[]', 'data.resources.ipv6[]'] : ['data.prefixes[].prefix'],
      entries,
    );
    return finish();
  },
};
