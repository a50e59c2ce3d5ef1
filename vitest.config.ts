/**
 * How the tests run: two or three processes at a time, with time enough for real servers to start. Files share a process
 * where they change nothing in it: unit and property tests, and tests with servers of their own. To load the modules for
 * each file would take a third of all the time. Tests of crashes, of the conformance kit, of the other languages and of
 * the simulation have a process for each file.
 */

import { defineConfig } from 'vitest/config';
import { runsAll } from './test/support/run/cases.ts';
import { LongFirst } from './test/support/run/long-first.ts';
import { TestReport } from './test/support/run/test-report.ts';

/** Where a run in CI wants its counts, as JUnit. */
const { MUSTER_JUNIT: outputFile } = process.env;
const junit: ['junit', { outputFile: string }][] = outputFile ? [['junit', { outputFile }]] : [];
const shared = ['test/unit/**/*.test.ts', 'test/property/**/*.test.ts'];
const integration = ['test/integration/**/*.test.ts'];
const globalSetup = 'test/support/run/prepare.ts';
/** The core waits more than it computes. */
const maxWorkers = runsAll ? 2 : 3;

export default defineConfig({
  test: {
    reporters: ['default', new TestReport(), ...junit],
    maxWorkers,
    sequence: { sequencer: LongFirst },
    projects: [
      {
        extends: true,
        test: { name: 'shared', include: shared, isolate: false },
      },
      {
        extends: true,
        test: { name: 'integration', include: integration, isolate: false, globalSetup },
      },
      {
        extends: true,
        test: {
          name: 'isolated',
          include: ['test/**/*.test.ts'],
          exclude: [...shared, ...integration],
          isolate: true,
          globalSetup,
        },
      },
    ],
    setupFiles: ['test/support/run/property-size.ts'],
    pool: 'forks',
    // Node itself loads the modules, as it does for users: each file starts in half the time.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
