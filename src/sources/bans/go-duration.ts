/** Times as CrowdSec writes them: those of Go's time.Duration (https://pkg.go.dev/time#ParseDuration). */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  // MICRO SIGN, which Go prints, and GREEK SMALL LETTER MU, which it reads as well.
  '\u00b5s': 1e-3,
  '\u03bcs': 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const WHOLE = /^[+-]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|[u\u00b5\u03bc]s|ms|s|m|h))+)$/;
const PART = /(\d+\.?\d*|\.\d+)(ns|[u\u00b5\u03bc]s|ms|s|m|h)/g;
/** Far above the 292 years that a duration of Go holds. */
const LONGEST = 100;

/** `3h59m55.123s` → milliseconds, below zero for `-1s`; undefined when it is none. */
export function parseGoDuration(text: string): number | undefined {
  if (text.length > LONGEST || !WHOLE.test(text)) return undefined;
  let ms = 0;
  for (const [, figure, unit] of text.matchAll(PART)) ms += Number(figure) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  if (!(ms <= LONGEST_MS)) return undefined;
  return text.startsWith('-') ? -ms : ms;
}

/** math.MaxInt64 nanoseconds; more is no duration of Go, and would be no date here. */
const LONGEST_MS = 2 ** 63 / 1e6;

/** Whole seconds, as CrowdSec takes them; what is left of a second counts as one. */
export function goDuration(ms: number): string {
  return `${Math.ceil(ms / 1000)}s`;
}
