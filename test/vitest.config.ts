import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    globalSetup: ['setup/packages.ts', 'setup/crowdsec.ts'].map((file) =>
      fileURLToPath(new URL(file, import.meta.url)),
    ),
    reporters: process.env.TEST_REPORT ? ['default', ['json', { outputFile: process.env.TEST_REPORT }]] : ['default'],
    // Some ask ssh for a session many times, or load real shapes; two of them at once on a small machine take a minute.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    // Several system tests load the machine; more workers than cores make their timings worse.
    maxWorkers: 2,
  },
});
