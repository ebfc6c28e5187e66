/** rsyslog's $RepeatedMsgReduction */
const REPEATED = /^message repeated (\d{1,7}) times: \[ (.*)\]$/s;
/** More tell nothing more. */
const MOST_TIMES = 20;

/** A message that stands for several of the same, as it was. */
export function unrepeated(message: string): { readonly message: string; readonly times: number } {
  const [, times, inner] = REPEATED.exec(message) ?? [];
  return inner === undefined ? { message, times: 1 } : { message: inner, times: Math.min(Number(times), MOST_TIMES) };
}
