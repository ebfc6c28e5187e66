import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { BlocklistError } from '../errors.js';
import { escapeText } from '../io/escape.js';

/** A failure on stderr: what, where, what to do; or one JSON object. */
export function printError(
  error: BlocklistError,
  stderr: Writable & { readonly isTTY?: boolean },
  { form, color, isVerbose }: { readonly form: 'text' | 'json'; readonly color: boolean; readonly isVerbose: boolean },
): void {
  const { code, message, where, hint } = error;
  if (form === 'json') {
    stderr.write(`${JSON.stringify({ error: { code, message, where: where ?? null, hint: hint ?? null } })}\n`);
    return;
  }
  const name = color && stderr.isTTY === true ? styleText('red', 'blocklist:') : 'blocklist:';
  for (const line of message.split('\n')) stderr.write(`${name} ${escapeText(line, 400)}\n`);
  if (where !== undefined && !message.includes(where)) stderr.write(`  at: ${escapeText(where, 200)}\n`);
  if (hint !== undefined) stderr.write(`  do: ${escapeText(hint, 300)}\n`);
  if (isVerbose && error.stack !== undefined) stderr.write(`${error.stack}\n`);
  if (isVerbose && error.cause instanceof Error) stderr.write(`${error.cause.stack ?? error.cause.message}\n`);
}
