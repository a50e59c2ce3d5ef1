// Tests of the benchmark's adapters, which need the peers' set-up: npm run test:peers.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/bench/peers/**/*.spec.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
