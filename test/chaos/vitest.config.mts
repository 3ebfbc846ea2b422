import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/chaos/**/*.chaos.ts'],
    fileParallelism: false,
    pool: 'forks',
    setupFiles: ['test/support/plain-environment.ts'],
    // Rows that mostly wait do it beside each other.
    maxConcurrency: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['verbose'],
  },
});
