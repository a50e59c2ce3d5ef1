// How the tests run: in processes of their own, two at a time, with time enough for real servers to start.

import { defineConfig } from 'vitest/config';
import { LongFirst } from './test/support/long-first.ts';
import { TestReport } from './test/support/test-report.ts';

/** Where a run in CI wants its counts, as JUnit. */
const { MUSTER_JUNIT: outputFile } = process.env;
const junit: ['junit', { outputFile: string }][] = outputFile ? [['junit', { outputFile }]] : [];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', new TestReport(), ...junit],
    setupFiles: ['test/support/property-size.ts'],
    pool: 'forks',
    isolate: true,
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
