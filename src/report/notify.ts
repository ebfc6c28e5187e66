import { setTimeout as pause } from 'node:timers/promises';
import { BlocklistError } from '../errors.js';
import type { HttpClient } from '../io/http.js';
import { run } from '../io/run.js';

export interface Message {
  /** one line */
  readonly subject: string;
  readonly text: string;
}

/** A way to tell somebody. */
export type Channel =
  | { readonly kind: 'mail'; readonly to: readonly [string, ...string[]] }
  | { readonly kind: 'webhook'; readonly url: string; readonly http: Pick<HttpClient, 'send'> };

const PAUSES_MS = [2_000, 10_000];
const TIMEOUT_MS = 30_000;
const LARGEST_ANSWER = 1 << 16;

/**
 * Tells on every channel, each up to three times. The address of a webhook lets anybody post there: it is in no message and no error.
 * @param pausesMs between the attempts
 * @throws BlocklistError `notify-failed` when one of them could not be reached; the others were told
 */
export async function notify(
  message: Message,
  channels: readonly Channel[],
  pausesMs: readonly number[] = PAUSES_MS,
): Promise<void> {
  const failures: string[] = [];
  for (const channel of channels) {
    const failure = await attempts(message, channel, pausesMs);
    if (failure !== undefined) failures.push(failure);
  }
  if (failures.length === 0) return;
  throw new BlocklistError('notify-failed', `nobody could be told: ${failures.join('; ')}`, {
    hint: 'the findings stay new and are told at the next run',
  });
}

/** What the last attempt failed with; undefined: it was told. */
async function attempts(message: Message, channel: Channel, pausesMs: readonly number[]): Promise<string | undefined> {
  for (let i = 0; ; i++) {
    try {
      await (channel.kind === 'mail' ? mail(message, channel.to) : post(message, channel));
      return undefined;
    } catch (error) {
      if (!(error instanceof BlocklistError)) throw error;
      const wait = pausesMs[i];
      if (wait === undefined)
        return `${channel.kind}: ${channel.kind === 'webhook' ? withoutAddress(error, channel.url) : error.message}`;
      await pause(wait);
    }
  }
}

/** sendmail(8), as postfix, exim and msmtp have it: -i: a line with a dot is no end. */
async function mail({ subject, text }: Message, to: readonly [string, ...string[]]): Promise<void> {
  const head = [`To: ${to.join(', ')}`, `Subject: ${oneLine(subject)}`, 'Content-Type: text/plain; charset=utf-8'];
  const stdin = `${head.join('\n')}\n\n${text}`;
  const { status, stderr } = await run(['sendmail', '-i', '--', ...to], { stdin, timeoutMs: TIMEOUT_MS });
  if (status === 0) return;
  throw new BlocklistError('notify-failed', `sendmail ended with ${status}: ${oneLine(stderr).slice(0, 200)}`);
}

async function post({ subject, text }: Message, { url, http }: Extract<Channel, { kind: 'webhook' }>): Promise<void> {
  await http.send(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: `${subject}\n\n${text}` }),
    maxBytes: LARGEST_ANSWER,
    timeoutMs: TIMEOUT_MS,
  });
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function withoutAddress({ message }: BlocklistError, url: string): string {
  return message.replaceAll(url, new URL(url).host);
}
