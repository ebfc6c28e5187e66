import type { ListFormat } from './contract.js';
import { plain } from './plain.js';
import { score } from './score.js';

/** Every format, by the name that a configuration uses. */
export const FORMATS = { plain, score } satisfies Record<string, ListFormat>;
export type FormatName = keyof typeof FORMATS;
