import { writeFileSync } from 'node:fs';
import { configJsonSchema } from './schema.js';

/** A step of `npm run build`: puts the JSON Schema beside the compiled program. */
writeFileSync(new URL('../config.schema.json', import.meta.url), `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
