import type { FormatName } from '../../../config/formats.js';
import type { ListFormat } from './contract.js';
import { csv } from './csv.js';
import { delegated } from './delegated.js';
import { dshield } from './dshield.js';
import { hostPort } from './host-port.js';
import { integerRange } from './integer-range.js';
import { json } from './json.js';
import { keyword } from './keyword.js';
import { ndjson } from './ndjson.js';
import { p2p } from './p2p.js';
import { plain } from './plain.js';
import { rbldnsd } from './rbldnsd.js';
import { ripestat } from './ripestat.js';
import { score } from './score.js';
import { url } from './url.js';

/** Every format, by the name that a configuration uses. */
export const FORMATS: Readonly<Record<FormatName, ListFormat>> = {
  plain,
  score,
  csv,
  json,
  ndjson,
  dshield,
  delegated,
  p2p,
  'integer-range': integerRange,
  keyword,
  rbldnsd,
  'host-port': hostPort,
  url,
  ripestat,
};
