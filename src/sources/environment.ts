import type { FetchProgress } from './contract.js';
import type { Fetcher } from './fetcher.js';

/** What sources work with. */
export interface SourceEnvironment {
  /** folder of downloaded lists */
  readonly cache: string;
  /** folder of what this host knows */
  readonly state: string;
  readonly now: () => number;
  readonly fetcher: Fetcher;
  readonly progress: FetchProgress;
  /** ids whose change against last good a person accepts */
  readonly accepted: ReadonlySet<string>;
}
