import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Numerical tests use every core inside onnxruntime already: files run one after the other.
    fileParallelism: false,
    pool: 'forks',
    setupFiles: ['test/support/plain-environment.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default', './scripts/count-reporter.mts'],
  },
});
