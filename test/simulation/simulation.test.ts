/**
 * The real engine, store and SDK core in virtual time, under every fault.
 *
 * MUSTER_SEEDS=5000 runs more seeds, MUSTER_FIRST_SEED sets the first one, MUSTER_SEED=123 replays one with its trace.
 */
import { constants, setPriority } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SimPostgres } from '../../server/tools/simulate/sim-postgres.ts';
import { runsAll } from '../support/run/cases.ts';
import { openSimPostgres } from './database/open-sim-postgres.ts';
import { runSeed } from './scenario/run-seed.ts';
import { ALL_SEEDS, range, runSeeds } from './scenario/run-seeds.ts';
import { neverHappened } from './scenario/sometimes.ts';
import { countsOf, failureOf, summaryOf } from './scenario/summary.ts';

const { MUSTER_SEED, MUSTER_SEEDS, MUSTER_FIRST_SEED } = process.env;

const CORE_SEEDS = 15;
const seeds = Number(MUSTER_SEEDS ?? (runsAll ? ALL_SEEDS : CORE_SEEDS));
const first = Number(MUSTER_FIRST_SEED ?? 1);
const MINUTE = 60_000;
/** Far more than a seed takes with low priority on a busy machine. */
const TIMEOUT = 5 * MINUTE + seeds * MINUTE;
const TAIL_LINES = 400;

/** Hashes of the histories so far. */
const hashes = new Map<number, string>();
let postgres: SimPostgres;

beforeAll(async () => {
  // The simulation computes and never waits: it takes what other tests leave of the processors, and little more.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  postgres = await openSimPostgres();
});

afterAll(() => postgres?.close());

test.runIf(MUSTER_SEED)('the simulation replays one seed', { timeout: 5 * MINUTE }, async () => {
  const result = await runSeed(postgres, Number(MUSTER_SEED), true);
  if (result.violations.length > 0) console.log(result.trace.slice(-TAIL_LINES).join('\n'));
  console.log(countsOf(result.counts));
  expect(result.violations, failureOf(result)).toEqual([]);
});

test.skipIf(MUSTER_SEED)(
  'the simulated replicas keep their invariants whatever goes wrong',
  { timeout: TIMEOUT },
  async () => {
    const result = await runSeeds({
      postgres,
      seeds: range(first, seeds),
      onSeed: (seed) => {
        hashes.set(seed.seed, seed.hash);
        if (seed.violations.length > 0) console.log(failureOf(seed));
      },
    });
    console.log(`${countsOf(result.counts)}\n${summaryOf(result)}`);
    expect(result.failures.map(failureOf)).toEqual([]);
    // With fewer seeds than usual some faults may not occur.
    if (seeds >= ALL_SEEDS) expect(neverHappened(result.counts), 'these never happened').toEqual([]);
  },
);

test.skipIf(MUSTER_SEED)(
  'the simulation gives the same history for the same seed',
  { timeout: 20 * MINUTE },
  async () => {
    const hashOf = async (seed: number) => (await runSeed(postgres, seed)).hash;
    const before = hashes.get(first) ?? (await hashOf(first));
    expect(hashes.get(first + 1) ?? (await hashOf(first + 1))).not.toBe(before);
    expect(await hashOf(first)).toBe(before);
  },
);
