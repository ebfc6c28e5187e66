import { delegatedRow, v4Range } from './delegated-line.js';
import { lineFormat } from './text.js';

/** The statistics of the regional registries: see delegated-line.ts. */
export const delegated = lineFormat(
  'delegated',
  'RIR statistics, registry|cc|type|start|value|date|status; countries: keeps only these',
  ({ countries }, entries) => {
    const wanted = countries && new Set(countries.map((code) => code.toUpperCase()));
    return (line) => {
      const row = delegatedRow(line);
      if (row === undefined) return;
      if (typeof row === 'string') return entries.reject(row, line);
      const { country, type, start, value } = row;
      if (country === '' || (wanted !== undefined && !wanted.has(country))) return entries.leaveOut();
      if (type === 'ipv6') {
        if (!start.includes(':')) return entries.reject('not an address', line);
        return entries.takeText(`${start}/${value}`, line);
      }
      const range = v4Range(row);
      if (typeof range === 'string') entries.reject(range, line);
      else entries.takeRange(...range, line);
    };
  },
);
