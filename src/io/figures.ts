/** Numbers as people read them, the same in every locale. */

export function grouped(value: number | bigint): string {
  // By hand: asking for a locale costs ten milliseconds the first time.
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Exact up to fifteen digits; IPv6 counts beyond that as a power of two, `2^103.4`. */
export function addressCount(value: bigint): string {
  if (value < 10n ** 15n) return grouped(value);
  const digits = value.toString(2);
  const top = Number.parseInt(digits.slice(0, 50), 2);
  return `2^${(Math.log2(top) + digits.length - 50).toFixed(1)}`;
}

/** 0.2531 → `25.31 %` */
export function percent(share: number): string {
  // Rounded down: only the whole is 100 %.
  // A hair more, since 0.57 × 10,000 is a hair less than 5,700.
  const value = Math.floor(share * 10_000 + 1e-6) / 100;
  return `${value >= 100 || value === 0 ? value.toFixed(0) : value.toFixed(2)} %`;
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** `3 days`, `5 hours`, `1 minute`, `now` */
export function age(ms: number): string {
  for (const [unit, size] of UNITS) {
    const count = Math.floor(ms / size);
    if (count >= 1) return `${count} ${unit}${count === 1 ? '' : 's'}`;
  }
  return 'now';
}

/** A time as it is written in a configuration: `12h`, `14d`, `90m`; the largest unit that fits without rest. */
export function interval(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
  ] as const;
  const [unit, size] = units.find(([, each]) => ms >= each && ms % each === 0) ?? ['s', 1000];
  return `${ms / size}${unit}`;
}

/** `2026-10-02T18:00:00.000Z`; `never` for what no calendar has, as a damaged file may say. */
export function isoText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? 'never' : date.toISOString();
}

/** `2026-10-02`, in UTC */
export function dateText(ms: number): string {
  return isoText(ms).slice(0, 10);
}

/** `2026-10-02 18:00 UTC` */
export function minuteText(ms: number): string {
  const text = isoText(ms);
  return text === 'never' ? text : `${text.slice(0, 16).replace('T', ' ')} UTC`;
}
