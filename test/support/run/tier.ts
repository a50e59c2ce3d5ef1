/**
 * Which tests a run contains. `npm test` runs the core: some of every kind, in minutes. `npm run test:all` runs
 * everything, and so does a run that names its files.
 */

/** Whether this run contains everything. */
export const runsAll = process.env.MUSTER_TESTS !== 'core';

/** Files that only `npm run test:all` runs, with the reason. */
export const allOnly: Readonly<Record<string, string>> = {
  'test/chaos/{batch-retries,dependencies,embedded,events,schedules,triggers,waits,workflows}.test.ts':
    'crashes: crash and batches stay',
  'test/conformance/{exec,go,rust}.test.ts': 'other languages',
  'test/conformance/planted-bugs*.test.ts': 'mutations',
  'test/languages/*.test.ts': 'other languages',
  'test/integration/demo/polyglot.test.ts': 'other languages',
  'test/integration/traces/polyglot.test.ts': 'other languages',
  'test/simulation/mutants-*.test.ts': 'mutations',
  'test/integration/api/mutations/*.test.ts': 'mutations',
  'test/integration/api/workflows/joins.test.ts': '1,000 workflows',
  'test/integration/fuzz/*.test.ts': 'fuzzing',
  'test/integration/store/pglite.test.ts': 'the same statements on PGlite: its driver, crashes and maintenance stay',
  'test/integration/store/postgres-16.test.ts': 'PostgreSQL 16',
};

/** The given cases, or in a run of the core the first `count`. */
export function coreOf<T>(cases: readonly T[], count: number): readonly T[] {
  return runsAll ? cases : cases.slice(0, count);
}
