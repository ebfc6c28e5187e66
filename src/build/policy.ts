/** How often something may happen, as nft counts it: nft(8), LIMIT STATEMENT. */
export interface Rate {
  /** 1 or more */
  readonly count: number;
  readonly per: 'second' | 'minute' | 'hour' | 'day';
}

/** What the rules do with the sets. Part of the artefact: it is reviewed, and the same on every host that loads it. */
export interface Policy {
  /** `new`: connections that this host or its guests began to a listed host go on, and may be begun */
  readonly drop: 'all' | 'new';
  /** TCP and UDP ports that listed hosts are kept from, as the client names them, ascending; none: everything */
  readonly ports: readonly number[];
  /** what comes in or goes out there is not looked at: names of interfaces, a star at the end stands for the rest of one, ascending */
  readonly skipInterfaces: readonly string[];
  /** what goes to addresses that are listed for senders is dropped, too */
  readonly alsoOutbound: boolean;
  /** how many drops are written to the kernel log; undefined: none */
  readonly log: Rate | undefined;
  /** how many echo requests are let in, from whomever; undefined: all */
  readonly echoLimit: Rate | undefined;
}
