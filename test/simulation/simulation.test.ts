/**
 * The real engine, store and SDK core under virtual time, with everything going wrong that may.
 *
 * MUSTER_SEEDS=5000 runs more seeds, MUSTER_FIRST_SEED says where they begin, MUSTER_SEED=123 replays one with its trace.
 */
import { expect, test } from 'vitest';
import { openSimPostgres } from './database/open-sim-postgres.ts';
import { runSeed } from './scenario/run-seed.ts';
import { range, replaySeed, runSeeds } from './scenario/run-seeds.ts';
import { neverHappened } from './scenario/sometimes.ts';
import { countsOf, failureOf, summaryOf } from './scenario/summary.ts';

const { MUSTER_SEED, MUSTER_SEEDS, MUSTER_FIRST_SEED } = process.env;
/** As many as it takes for every misfortune to be among them. */
const DEFAULT_SEEDS = 120;
const seeds = Number(MUSTER_SEEDS ?? DEFAULT_SEEDS);
const first = Number(MUSTER_FIRST_SEED ?? 1);
const MINUTE = 60_000;
/** Far more than a seed takes on a busy machine. */
const TIMEOUT = 5 * MINUTE + seeds * 6_000;
const TAIL_LINES = 400;

test.runIf(MUSTER_SEED)('replays one seed', { timeout: 5 * MINUTE }, async () => {
  const result = await replaySeed(Number(MUSTER_SEED));
  if (result.violations.length > 0) console.log(result.trace.slice(-TAIL_LINES).join('\n'));
  console.log(countsOf(result.counts));
  expect(result.violations, failureOf(result)).toEqual([]);
});

test.skipIf(MUSTER_SEED)('keeps its promises whatever goes wrong', { timeout: TIMEOUT }, async () => {
  const result = await runSeeds({
    seeds: range(first, seeds),
    onSeed: (seed) => seed.violations.length > 0 && console.log(failureOf(seed)),
  });
  console.log(`${countsOf(result.counts)}\n${summaryOf(result)}`);
  expect(result.failures.map(failureOf)).toEqual([]);
  // With fewer seeds than usual some misfortune may well be missing.
  if (seeds >= DEFAULT_SEEDS) expect(neverHappened(result.counts), 'these never happened').toEqual([]);
});

test.skipIf(MUSTER_SEED)('gives the same history for the same seed', { timeout: 5 * MINUTE }, async () => {
  const postgres = await openSimPostgres();
  try {
    const hashes: string[] = [];
    for (const seed of [first, first + 1, first]) hashes.push((await runSeed(postgres, seed)).hash);
    expect(hashes[2]).toBe(hashes[0]);
    expect(hashes[1]).not.toBe(hashes[0]);
  } finally {
    await postgres.close();
  }
});
