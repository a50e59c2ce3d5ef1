// How the tests run: in processes of their own, two at a time, with time enough for real servers to start.

import { defineConfig } from 'vitest/config';
import { TestReport } from './test/support/test-report.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', new TestReport()],
    pool: 'forks',
    isolate: true,
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
