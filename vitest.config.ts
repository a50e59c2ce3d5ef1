/**
 * How the tests run: two or three processes at a time, with time enough for real servers to start. Files share a process
 * where they change nothing in it: unit and property tests, and tests with servers of their own. To load the modules for
 * each file would take a third of all the time. Tests of crashes, of the conformance kit, of the other languages and of
 * the simulation have a process for each file.
 */

import { defineConfig } from 'vitest/config';
import { LongFirst } from './test/support/run/long-first.ts';
import { TestReport } from './test/support/run/test-report.ts';
import { allOnly, runsAll } from './test/support/run/tier.ts';

/**
 * Where a run in CI wants its counts, as JUnit; and whether it contains tests in virtual time: `only`, `none`, or as any
 * others.
 */
const { MUSTER_JUNIT: outputFile, MUSTER_VIRTUAL_TIME: virtualTime } = process.env;
const junit: ['junit', { outputFile: string }][] = outputFile ? [['junit', { outputFile }]] : [];
const shared = ['test/unit/**/*.test.ts', 'test/property/**/*.test.ts'];
const integration = ['test/integration/**/*.test.ts'];
const leftOut = [...(runsAll ? [] : Object.keys(allOnly)), ...(virtualTime === 'none' ? ['test/simulation/**'] : [])];
const inVirtualTime = virtualTime === 'only';
const globalSetup = inVirtualTime ? [] : 'test/support/run/prepare.ts';
/** The core waits more than it computes, and tests in virtual time never wait. */
const maxWorkers = runsAll ? 2 : inVirtualTime ? 1 : 3;

export default defineConfig({
  test: {
    reporters: ['default', ...(inVirtualTime ? [] : [new TestReport()]), ...junit],
    maxWorkers,
    sequence: { sequencer: LongFirst },
    projects: [
      {
        extends: true,
        test: { name: 'shared', include: shared, isolate: false },
      },
      {
        extends: true,
        test: { name: 'integration', include: integration, exclude: leftOut, isolate: false, globalSetup },
      },
      {
        extends: true,
        test: {
          name: 'isolated',
          include: ['test/**/*.test.ts'],
          exclude: [...shared, ...integration, ...leftOut],
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
