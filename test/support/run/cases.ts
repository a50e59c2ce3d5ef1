/** Which cases of its files a run contains: all of them, or in the core the ones that say most. */

/** Whether this run contains every case of its files. */
export const runsAll = process.env.MUSTER_TESTS !== 'core';

/** The given cases, or in a run of the core the first `count`. */
export function coreOf<T>(cases: readonly T[], count: number): readonly T[] {
  return runsAll ? cases : cases.slice(0, count);
}
