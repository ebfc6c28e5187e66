import type { ListFormat } from './contract.js';
import { readLines } from './plain.js';

/** As IPsum publishes its counts: `192.0.2.7<TAB>9`, the number of lists that hold the address. */
export const score: ListFormat = {
  name: 'score',
  description: 'as plain, with a number behind the address; min-score leaves out the lower ones',
  read: (chunks, { 'min-score': minScore }) => readLines(chunks, minScore === undefined ? {} : { minScore }),
};
