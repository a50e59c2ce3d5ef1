/** Runs many seeds on one database, and sums up. */
import type { SimPostgres } from '../../../server/tools/simulate/sim-postgres.ts';
import { runSeed, type SeedResult } from './run-seed.ts';

/** Seeds of a full run: enough for every fault to occur. */
export const ALL_SEEDS = 120;

export interface SeedsResult {
  readonly seeds: number;
  readonly failures: readonly SeedResult[];
  readonly counts: ReadonlyMap<string, number>;
  readonly virtualMs: number;
  readonly realMs: number;
}

export interface SeedsOptions {
  readonly postgres: SimPostgres;
  readonly seeds: Iterable<number>;
  /** Ends at the first seed that fails. */
  readonly stopAtFirst?: boolean;
  /** Whether results have a full trace. */
  readonly keepsTrace?: boolean;
  readonly onSeed?: (result: SeedResult) => void;
}

export async function runSeeds(options: SeedsOptions): Promise<SeedsResult> {
  const { postgres, seeds, stopAtFirst = false, keepsTrace = false, onSeed } = options;
  const started = performance.now();
  const counts = new Map<string, number>();
  const failures: SeedResult[] = [];
  let [count, virtualMs] = [0, 0];
  for (const seed of seeds) {
    const result = await runSeed(postgres, seed, keepsTrace);
    count++;
    virtualMs += result.virtualMs;
    for (const [what, times] of result.counts) counts.set(what, (counts.get(what) ?? 0) + times);
    onSeed?.(result);
    if (result.violations.length === 0) continue;
    failures.push(result);
    if (stopAtFirst) break;
  }
  return { seeds: count, failures, counts, virtualMs, realMs: performance.now() - started };
}

/** `count` seeds, starting with `first`. */
export function* range(first: number, count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield first + i;
}
