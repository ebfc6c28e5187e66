import type { Failure, Login, LoginEvent, Logout, Opened, Place } from '../event.js';

/** A service that lets people in from elsewhere, and how it tells so in its log. */
export interface Service {
  /** as in the events */
  readonly name: string;
  /** names under which it logs, whole */
  readonly programs: readonly string[];
  /** base names of the files whose lines journald (systemd.journal-fields(7), `_EXE`) vouches for */
  readonly executables: readonly string[];
  /**
   * ASCII texts of which one stands in every line worth reading. Those that begin with a capital are found ten times as fast among failures, whose lines
   * have few of them.
   */
  readonly needles: readonly string[];
  /** What a line says, without its head; undefined: nothing of a login. Gets at most 64 KiB, written by anybody. */
  readonly read: (message: string) => Told | undefined;
  /** whether the line is one that only root's process of the service writes; others come from processes that run as the user */
  readonly isOfRoot: (told: Told) => boolean;
}

type Said<E> = Omit<E, 'place' | 'time' | 'pid' | 'service' | 'writer'>;

export type Told = Said<Login> | Said<Failure> | Said<Logout> | Said<Opened> | { readonly kind: 'injected' };

/** Digits of a port, or undefined. */
export function portOf(text: string | undefined): number | undefined {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : undefined;
}

/** Where and when a line was written, and by which process. */
export interface Written {
  readonly place: Place;
  readonly time: number;
  readonly pid: number | undefined;
}

/** What a line says, as an event. @param line the message as it stands there; `writer` who can have written it */
export function eventOf(
  told: Told,
  seen: Written,
  { name: service }: Service,
  line: string,
  writer: Login['writer'],
): LoginEvent {
  switch (told.kind) {
    case 'injected': {
      const { place, time, pid } = seen;
      return { kind: 'oddity', code: 'injected', place, time, facts: { service, pid, line } };
    }
    case 'login':
      return { ...told, ...seen, service, writer };
    case 'failure':
      return { ...told, ...seen, service };
    default:
      return { ...told, ...seen };
  }
}
