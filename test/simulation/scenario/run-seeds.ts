/** Runs many seeds on one database, and sums up. */
import { openSimPostgres } from '../database/open-sim-postgres.ts';
import { runSeed, type SeedResult } from './run-seed.ts';

export interface SeedsResult {
  readonly seeds: number;
  readonly failures: readonly SeedResult[];
  readonly counts: ReadonlyMap<string, number>;
  readonly virtualMs: number;
  readonly realMs: number;
}

export interface SeedsOptions {
  readonly seeds: Iterable<number>;
  /** Ends at the first seed that fails. */
  readonly stopAtFirst?: boolean;
  readonly onSeed?: (result: SeedResult) => void;
}

export async function runSeeds({ seeds, stopAtFirst = false, onSeed }: SeedsOptions): Promise<SeedsResult> {
  const started = performance.now();
  const postgres = await openSimPostgres();
  const counts = new Map<string, number>();
  const failures: SeedResult[] = [];
  let [count, virtualMs] = [0, 0];
  try {
    for (const seed of seeds) {
      const result = await runSeed(postgres, seed);
      count++;
      virtualMs += result.virtualMs;
      for (const [what, times] of result.counts) counts.set(what, (counts.get(what) ?? 0) + times);
      onSeed?.(result);
      if (result.violations.length === 0) continue;
      failures.push(result);
      if (stopAtFirst) break;
    }
  } finally {
    await postgres.close();
  }
  return { seeds: count, failures, counts, virtualMs, realMs: performance.now() - started };
}

/** One seed once more, with a trace of everything. */
export async function replaySeed(seed: number): Promise<SeedResult> {
  const postgres = await openSimPostgres();
  try {
    return await runSeed(postgres, seed, true);
  } finally {
    await postgres.close();
  }
}

/** From `first` on, so many. */
export function* range(first: number, count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield first + i;
}
