import { formatPrefix, type Prefixes, prefixLines } from '../ip/index.js';
import type { KernelCommand, LocalElement } from './commands.js';
import { EARLY_PRIORITY, FAMILY, type SetSpec, TABLE } from './layout.js';

const NAME = `${FAMILY} ${TABLE}`;

/** The commands as an nft script. Elements stand one a line, so that a change is a line in a diff. */
export function printText(header: readonly string[], commands: readonly KernelCommand[]): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from(`#!/usr/sbin/nft -f\n${header.map((line) => `# ${line}\n`).join('')}\n`)];
  for (const command of commands) {
    if (command.do === 'add-elements') parts.push(...elements('add', command.set, command.prefixes));
    else if (command.do === 'delete-elements') parts.push(...elements('delete', command.set, command.prefixes));
    else parts.push(Buffer.from(`${statement(command)}\n`));
  }
  return Buffer.concat(parts);
}

function statement(command: Exclude<KernelCommand, { do: 'add-elements' | 'delete-elements' }>): string {
  switch (command.do) {
    case 'add-table':
      return `add table ${NAME}`;
    case 'add-counter':
      return `add counter ${NAME} ${command.name}`;
    case 'add-set':
      return `add set ${NAME} ${command.set.name} ${setBody(command.set)}`;
    case 'flush-set':
      return `flush set ${NAME} ${command.set.name}`;
    case 'delete-set':
      return `delete set ${NAME} ${command.set.name}`;
    case 'add-chain': {
      const { name, hook } = command.chain;
      const body = hook === undefined ? '' : ` { type filter hook ${hook} priority ${EARLY_PRIORITY}; policy accept; }`;
      return `add chain ${NAME} ${name}${body}`;
    }
    case 'flush-chain':
      return `flush chain ${NAME} ${command.chain.name}`;
    case 'delete-chain':
      return `delete chain ${NAME} ${command.chain.name}`;
    case 'empty':
      return `flush ${command.what} ${NAME} ${command.name}`;
    case 'remove':
      return `delete ${command.what} ${NAME} ${command.name}`;
    case 'add-rule':
      return `add rule ${NAME} ${command.rule.chain} ${command.rule.text}`;
    case 'add-local':
      return `add element ${NAME} ${command.set.name} { ${command.elements.map(localElement).join(', ')} }`;
    case 'delete-local': {
      const prefixes = command.elements.map(({ prefix }) => formatPrefix(prefix));
      return `delete element ${NAME} ${command.set.name} { ${prefixes.join(', ')} }`;
    }
  }
}

function setBody({ type, flags, comment }: SetSpec): string {
  const flagged = flags.length === 0 ? '' : ` flags ${flags.join(',')};`;
  const note = comment === undefined ? '' : ` comment "${comment}";`;
  return `{ type ${type};${flagged}${note} }`;
}

function localElement({ prefix, seconds }: LocalElement): string {
  return `${formatPrefix(prefix)}${seconds === undefined ? '' : ` timeout ${timeText(seconds)}`}`;
}

const DAY = 86_400;

/** nft takes at most eight digits before each unit, whatever the number (time_parse of its datatype.c, tried with 1.0.6). */
function timeText(seconds: number): string {
  return seconds < 100 * DAY ? `${seconds}s` : `${Math.floor(seconds / DAY)}d${seconds % DAY}s`;
}

function elements(verb: 'add' | 'delete', set: SetSpec, prefixes: Prefixes): Uint8Array[] {
  return [
    Buffer.from(`${verb} element ${NAME} ${set.name} {\n`),
    prefixLines(prefixes, { before: '\t', after: ',\n' }),
    Buffer.from('}\n'),
  ];
}
