import type { DatabaseForm } from '../contract.js';
import { csv } from './csv.js';
import { delegated } from './delegated.js';
import { mmdb } from './mmdb.js';

/** Every form, in the order in which they are tried. */
export const FORMS: readonly DatabaseForm[] = [mmdb, delegated, csv];
