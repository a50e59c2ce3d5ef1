/** Counts hits and misses of the cached results of workflow steps. */
import type { Counter } from '@opentelemetry/api';
import type { CacheLookups } from '../../engine/ports/workflows.ts';

export type CacheMeter = (counts: CacheLookups) => void;

export function cacheMeter(lookups: Counter): CacheMeter {
  return ({ hits, misses }) => {
    if (hits > 0) lookups.add(hits, { 'muster.step_cache.result': 'hit' });
    if (misses > 0) lookups.add(misses, { 'muster.step_cache.result': 'miss' });
  };
}
