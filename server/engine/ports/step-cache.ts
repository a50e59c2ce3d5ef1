/** Cached results for steps, as passed between engine and store. */
import type { CachedResult } from '../../domain/workflows/step-cache.ts';

/** The result of a job, cached for matching steps. */
export interface KeptResult {
  readonly namespace: string;
  readonly keyHash: Uint8Array;
  readonly jobId: string;
  readonly maxAgeMs: number;
}

export interface FoundResult extends CachedResult {
  readonly nowUs: number;
}

export interface StepCacheStore {
  /** The job last cached under the key, if it still exists, succeeded, and was not erased. */
  find(namespace: string, keyHash: Uint8Array): Promise<FoundResult | undefined>;
  /** Within `together`: replaces entries with the same keys; an entry's lifetime never gets shorter. */
  keep(kept: readonly KeptResult[]): Promise<void>;
}

/** Numbers of cache lookups. */
export interface CacheLookups {
  readonly hits: number;
  readonly misses: number;
}
