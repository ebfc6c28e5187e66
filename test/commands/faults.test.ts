import { describe } from 'vitest';
import { NETWORK_FAULTS } from '../sources/faults-network.js';
import { testFaults } from './describe-faults.js';

describe('a source whose server fails', () => testFaults(NETWORK_FAULTS));
