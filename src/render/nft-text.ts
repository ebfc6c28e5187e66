import { formatPrefix, type Prefixes, prefixLines } from '../ip/index.js';
import type { KernelCommand, LocalElement } from './commands.js';
import { FAMILY, type SetSpec, TABLE } from './layout.js';

const NAME = `${FAMILY} ${TABLE}`;

/** What a set gets or loses. */
export interface Elements {
  readonly set: SetSpec;
  readonly prefixes: Prefixes;
}

/** Text of a script: bytes, or the lines of a list, each between `before` and `after`. */
type Part = { readonly bytes: Uint8Array } | Elements;
const ELEMENT = { before: '\t', after: ',\n' };

/**
 * The commands as an nft script. Elements stand one a line, so that a change is a line in a diff.
 * @param elementsOf the elements of a set, where their text is at hand
 */
export function printText(
  header: readonly string[],
  commands: readonly KernelCommand[],
  elementsOf: (elements: Elements) => Uint8Array = ({ prefixes }) => prefixLines(prefixes, ELEMENT),
): Uint8Array {
  return Buffer.concat(partsOf(header, commands).map((part) => ('bytes' in part ? part.bytes : elementsOf(part))));
}

/** The elements out of a list of them, a prefix a line. */
export function elementLines(list: Uint8Array, { prefixes }: Elements): Uint8Array {
  const out = new Uint8Array(list.length + (ELEMENT.before.length + ELEMENT.after.length - 1) * prefixes.size);
  let at = 0;
  let isStart = true;
  for (let i = 0; i < list.length; i++) {
    const byte = list[i]!;
    if (isStart) out[at++] = TAB;
    isStart = byte === LF;
    if (isStart) out[at++] = COMMA;
    out[at++] = byte;
  }
  return out;
}

/**
 * Where a script differs from what printText makes of these commands; −1 when it is the same. Elements are compared with the lists that they came from,
 * so nothing is rendered.
 * @param listOf the text of each set, a prefix a line
 */
export function differsAt(
  script: Uint8Array,
  header: readonly string[],
  commands: readonly KernelCommand[],
  listOf: (name: SetSpec['name']) => Uint8Array,
): number {
  let at = 0;
  for (const part of partsOf(header, commands)) {
    const end = 'bytes' in part ? afterSame(script, at, part.bytes) : afterElements(script, at, listOf(part.set.name));
    if (end < 0) return ~end;
    at = end;
  }
  return at === script.length ? -1 : at;
}

/** Offset behind the text, or the complement of the first offset that differs. */
function afterSame(script: Uint8Array, from: number, text: Uint8Array): number {
  for (let i = 0; i < text.length; i++) if (script[from + i] !== text[i]) return ~(from + i);
  return from + text.length;
}

function afterElements(script: Uint8Array, from: number, list: Uint8Array): number {
  let at = from;
  let isStart = true;
  // Not for…of: on bytes it takes five times as long.
  for (let i = 0; i < list.length; i++) {
    const byte = list[i];
    if (isStart && script[at++] !== TAB) return ~(at - 1);
    isStart = byte === LF;
    if (isStart && script[at++] !== COMMA) return ~(at - 1);
    if (script[at++] !== byte) return ~(at - 1);
  }
  return at;
}

const [TAB, LF, COMMA] = [0x09, 0x0a, 0x2c];

function partsOf(header: readonly string[], commands: readonly KernelCommand[]): Part[] {
  const text = (words: string) => ({ bytes: Buffer.from(words) });
  return [
    text(`#!/usr/sbin/nft -f\n${header.map((line) => `# ${line}\n`).join('')}\n`),
    ...commands.flatMap((command): Part[] => {
      if (command.do !== 'add-elements' && command.do !== 'delete-elements') return [text(`${statement(command)}\n`)];
      const verb = command.do === 'add-elements' ? 'add' : 'delete';
      return [text(`${verb} element ${NAME} ${command.set.name} {\n`), command, text('}\n')];
    }),
  ];
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
      const body =
        hook === undefined ? '' : ` { type filter hook ${hook.name} priority ${hook.priority}; policy accept; }`;
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

function setBody({ type, flags, comment, filled }: SetSpec): string {
  const flagged = flags.length === 0 ? '' : ` flags ${flags.join(',')};`;
  const counting = filled === undefined ? '' : ` size ${filled.size}; timeout ${timeText(filled.seconds)}; counter;`;
  const note = comment === undefined ? '' : ` comment "${comment}";`;
  return `{ type ${type};${flagged}${counting}${note} }`;
}

function localElement({ prefix, seconds }: LocalElement): string {
  return `${formatPrefix(prefix)}${seconds === undefined ? '' : ` timeout ${timeText(seconds)}`}`;
}

const DAY = 86_400;

/** nft takes at most eight digits before each unit, whatever the number (time_parse of its datatype.c, tried with 1.0.6). */
function timeText(seconds: number): string {
  return seconds < 100 * DAY ? `${seconds}s` : `${Math.floor(seconds / DAY)}d${seconds % DAY}s`;
}
