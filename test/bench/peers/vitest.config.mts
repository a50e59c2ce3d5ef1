// The tests of the bench's adapters, which need what its set-up brings: npm run test:peers.

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
