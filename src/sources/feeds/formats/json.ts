import { BlocklistError } from '../../../errors.js';
import type { EntryCollector } from '../../../ip/index.js';
import type { ListFormat } from './contract.js';
import { filterOf, newBody, wholeText, withoutPort } from './text.js';

/** Addresses at paths of one JSON document: `prefixes[].ip_prefix`, `data.resources.ipv4[]`, `[].ip`. */
export const json: ListFormat = {
  name: 'json',
  description: 'one JSON document; paths: where the addresses are, like prefixes[].ip_prefix',
  read: async (chunks, { paths = [], where }) => {
    const text = await wholeText(chunks);
    const { entries, finish } = newBody();
    if (text.trim() !== '') takePaths(parsed(text), paths, entries, filterOf(where));
    return finish();
  },
};

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BlocklistError('source-format', `it is not JSON: ${cause instanceof Error ? cause.message : cause}`, {
      hint: 'check the address and the format of this source',
      cause,
    });
  }
}

/**
 * Takes what is at the paths. An element without the last key is passed over, since lists of both families have one of two keys; a key that no
 * element has is an error, or a publisher's renaming would silently lose a family.
 */
export function takePaths(
  document: unknown,
  paths: readonly string[],
  entries: EntryCollector,
  isWanted: ReturnType<typeof filterOf> = () => true,
): void {
  for (const path of paths) {
    const steps = path.split(/\.|(?=\[\])/).filter((step) => step !== '');
    const walk = new Walk(steps, entries, isWanted);
    walk.at(document, 0, []);
    if (walk.isLost) {
      throw new BlocklistError('source-format', `nothing is at ${path.slice(0, 80)}`, {
        hint: 'the publisher may have renamed a key: look at the document, then mend paths',
      });
    }
  }
}

class Walk {
  private found = 0;
  private missed = 0;

  constructor(
    private readonly steps: readonly string[],
    private readonly entries: EntryCollector,
    private readonly isWanted: ReturnType<typeof filterOf>,
  ) {}

  /** keys were missing, and nowhere there */
  get isLost(): boolean {
    return this.missed > 0 && this.found === 0;
  }

  at(value: unknown, step: number, around: readonly Fields[]): void {
    const key = this.steps[step];
    if (key === undefined) return this.leaf(value, around);
    if (key === '[]') {
      if (!Array.isArray(value)) this.missed++;
      else if (value.length === 0) this.found++;
      else for (const element of value) this.at(element, step + 1, around);
      return;
    }
    const object = isRecord(value) ? value : {};
    const next = Object.hasOwn(object, key) ? object[key] : undefined;
    if (next === undefined || next === null) this.missed++;
    else this.at(next, step + 1, [object, ...around]);
  }

  /** `around`: the objects that the address stands in, the nearest first. */
  private leaf(value: unknown, around: readonly Fields[]): void {
    this.found++;
    const { entries } = this;
    entries.line++;
    if (typeof value !== 'string') return entries.reject('not an address', JSON.stringify(value));
    if (!this.isWanted((name) => around.find((object) => Object.hasOwn(object, name))?.[name]))
      return entries.leaveOut();
    entries.takeText(withoutPort(value.trim()));
  }
}

type Fields = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
