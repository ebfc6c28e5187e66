import { type Prefixes, prefixLines } from '../ip/index.js';
import { EARLY_PRIORITY, FAMILY, type NftCommand, type SetSpec, TABLE } from './commands.js';

const NAME = `${FAMILY} ${TABLE}`;

/** The commands as an nft script. Elements stand one a line, so that a change is a line in a diff. */
export function printText(header: readonly string[], commands: readonly NftCommand[]): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from(`#!/usr/sbin/nft -f\n${header.map((line) => `# ${line}\n`).join('')}\n`)];
  for (const command of commands) {
    if (command.do === 'add-elements') parts.push(...elements(command.set, command.prefixes));
    else parts.push(Buffer.from(`${statement(command)}\n`));
  }
  return Buffer.concat(parts);
}

function statement(command: Exclude<NftCommand, { do: 'add-elements' }>): string {
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
    case 'add-rule':
      return `add rule ${NAME} ${command.rule.chain} ${command.rule.text}`;
  }
}

function setBody({ type, interval, comment }: SetSpec): string {
  const flags = interval ? ' flags interval;' : '';
  const note = comment === undefined ? '' : ` comment "${comment}";`;
  return `{ type ${type};${flags}${note} }`;
}

function elements(set: SetSpec, prefixes: Prefixes): Uint8Array[] {
  return [
    Buffer.from(`add element ${NAME} ${set.name} {\n`),
    prefixLines(prefixes, { before: '\t', after: ',\n' }),
    Buffer.from('}\n'),
  ];
}
