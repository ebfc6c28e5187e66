#!/usr/bin/env node
import { join } from 'node:path';
import { CompiledCode } from './compiled-code.js';

new CompiledCode().load(join(import.meta.dirname, 'program.cjs'));
