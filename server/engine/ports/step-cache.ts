/** What the engine and the store tell each other of results that steps take in place of jobs of their own. */
import type { CachedResult } from '../../domain/workflows/step-cache.ts';

/** The result of a job, kept for steps that are alike. */
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
  /** The job that was kept last under the key, if it is still there, has succeeded, and was not erased. */
  find(namespace: string, keyHash: Uint8Array): Promise<FoundResult | undefined>;
  /** Within `together`: in place of what was kept under the same keys, and no shorter than that. */
  keep(kept: readonly KeptResult[]): Promise<void>;
}

/** How often results were looked for. */
export interface CacheLookups {
  readonly hits: number;
  readonly misses: number;
}
