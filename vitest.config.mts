import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Whole runs use every core: files run one after the other. `npm test` runs those of single parts two at a time before.
    fileParallelism: false,
    pool: 'forks',
    setupFiles: ['test/support/plain-environment.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default', './scripts/count-reporter.mts'],
    projects: [
      { extends: true, test: { name: 'parts', include: ['src/**/*.test.ts'] } },
      { extends: true, test: { name: 'whole', include: ['test/**/*.test.ts'] } },
    ],
  },
});
