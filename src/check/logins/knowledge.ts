import type { Visit } from '../../logins/visit.js';

const DAY_MS = 86_400_000;
/** What was not seen for so long is forgotten. */
const FORGOTTEN_MS = 90 * DAY_MS;
/** A country is known after so many logins on so many days. */
const ENOUGH_LOGINS = 3;
const ENOUGH_DAYS = 2;
/** A user is new for so long and so many logins. */
const LEARNING_MS = 7 * DAY_MS;
const LEARNING_LOGINS = 10;

/** How often something was seen. Times are milliseconds since 1970. */
export interface Known {
  readonly first: number;
  readonly last: number;
  readonly times: number;
  /** on so many days, UTC */
  readonly days: number;
}

/** What is usual for one user. */
export interface Habits {
  readonly first: number;
  readonly logins: number;
  /** by ISO code, by fingerprint, by method, by network (`AS64500`, or a block of addresses) */
  readonly countries: Readonly<Record<string, Known>>;
  readonly keys: Readonly<Record<string, Known>>;
  readonly methods: Readonly<Record<string, Known>>;
  readonly networks: Readonly<Record<string, Known>>;
}

/** What is usual on this host, by user. What was learned up to a moment is not learned again when the records are read again. */
export class Knowledge {
  private readonly habits: Map<string, Habits>;

  constructor(
    habits: Readonly<Record<string, Habits>>,
    /** milliseconds since 1970; 0: nothing was learned yet */
    private until: number,
  ) {
    this.habits = new Map(Object.entries(habits));
  }

  of(user: string): Habits | undefined {
    return this.habits.get(user);
  }

  /** Whether this user is too new for a judgement: his first seven days and his first ten logins. */
  isLearning({ user, time }: Visit): boolean {
    const habits = this.habits.get(user);
    return habits === undefined || habits.logins < LEARNING_LOGINS || time < habits.first + LEARNING_MS;
  }

  /** Countries that are known of a user at a moment. */
  countriesOf(user: string, time: number): string[] {
    const all = Object.entries(this.habits.get(user)?.countries ?? {});
    return all.filter(([, known]) => isKnown(known, time)).map(([country]) => country);
  }

  /** Whether somebody else of this host is known there. */
  isKnownOfOthers(user: string, country: string, time: number): boolean {
    return [...this.habits].some(([other, { countries }]) => {
      const known = countries[country];
      return other !== user && known !== undefined && isKnown(known, time);
    });
  }

  /** Learns from a login that nobody has anything against. */
  learn(visit: Visit, country: string | undefined, network: string | undefined): void {
    if (visit.time <= this.until) return;
    const habits = this.habits.get(visit.user) ?? EMPTY(visit.time);
    this.habits.set(visit.user, {
      first: habits.first,
      logins: habits.logins + visit.times,
      countries: counted(habits.countries, country, visit),
      keys: counted(habits.keys, visit.key, visit),
      methods: counted(habits.methods, visit.method, visit),
      networks: counted(habits.networks, network, visit),
    });
  }

  /** To be written down: without what is forgotten. @param now up to where was learned, milliseconds since 1970 */
  kept(now: number): { readonly until: number; readonly users: Readonly<Record<string, Habits>> } {
    const fresh = (all: Readonly<Record<string, Known>>) =>
      Object.fromEntries(Object.entries(all).filter(([, { last }]) => last > now - FORGOTTEN_MS));
    const users = [...this.habits].map(([user, habits]): [string, Habits] => {
      const { countries, keys, methods, networks } = habits;
      const rest = {
        countries: fresh(countries),
        keys: fresh(keys),
        methods: fresh(methods),
        networks: fresh(networks),
      };
      return [user, { ...habits, ...rest }];
    });
    return { until: Math.max(this.until, now), users: Object.fromEntries(users) };
  }
}

const EMPTY = (first: number): Habits => ({ first, logins: 0, countries: {}, keys: {}, methods: {}, networks: {} });

function isKnown({ times, days, last, first }: Known, time: number): boolean {
  return times >= ENOUGH_LOGINS && days >= ENOUGH_DAYS && last > time - FORGOTTEN_MS && first <= time;
}

function counted(
  all: Readonly<Record<string, Known>>,
  name: string | undefined,
  { time, last, times }: Visit,
): Readonly<Record<string, Known>> {
  if (name === undefined) return all;
  const known = all[name];
  const isSameDay = known !== undefined && Math.floor(known.last / DAY_MS) === Math.floor(time / DAY_MS);
  return {
    ...all,
    [name]: {
      first: known?.first ?? time,
      last: Math.max(known?.last ?? 0, last),
      times: (known?.times ?? 0) + times,
      days: (known?.days ?? 0) + (isSameDay ? 0 : 1),
    },
  };
}
