import { describe } from 'vitest';
import { BODY_FAULTS } from '../sources/faults-body.js';
import { testFaults } from './describe-faults.js';

describe('a source that sends something else', () => testFaults(BODY_FAULTS));
