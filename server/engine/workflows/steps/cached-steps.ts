/** Steps with a cache: uses the result of an earlier job for a step, and stores new results for later ones. */
import { createHash } from 'node:crypto';
import type { Payload } from '../../../domain/base/payload.ts';
import { type CacheKeyOrigin, cacheKeyOrigin, isFresh, isKept } from '../../../domain/workflows/step-cache.ts';
import type { EndedStep } from '../../../domain/workflows/step-state.ts';
import type { CacheLookups, KeptResult } from '../../ports/workflows.ts';
import type { AdvanceParts } from '../advance-parts.ts';
import { payloadOf, type Values } from '../values.ts';
import type { Steps } from './steps.ts';

export class CachedSteps {
  readonly #parts: AdvanceParts;
  readonly #steps: Steps;
  readonly #values: Values;
  readonly kept: KeptResult[] = [];
  #hits = 0;
  #misses = 0;

  constructor(parts: AdvanceParts, steps: Steps, values: Values) {
    this.#parts = parts;
    this.#steps = steps;
    this.#values = values;
  }

  get lookups(): CacheLookups {
    return { hits: this.#hits, misses: this.#misses };
  }

  /**
   * Looks up a cached result. Undefined: the step has taken it. Else the version that its job must be made from, which
   * pins it: a newer version could appear before the job is made, with other results. Throws NoValue and NoJob.
   */
  async lookup(step: number, input: Payload): Promise<number | undefined> {
    const { store, namespace, stepJobs } = this.#parts;
    const { cache, ...from } = this.#steps.graph.step(step);
    const { name: definition, version, wait } = await stepJobs.definition(store, namespace, from);
    // The definition may have become a wait since the workflow was applied. An approval must not be reused.
    if (!cache || wait) return version;
    const expression = this.#parts.body.expression('key', step);
    const what = expression ? payloadOf(await this.#values.evaluate(expression)) : input;
    const cacheKey = hashOf(cacheKeyOrigin({ namespace, definition, version }, expression ? 'key' : 'input', what));
    const found = await store.stepCache.find(namespace, cacheKey);
    if (!found || !isFresh(cache, found, found.nowUs)) {
      this.#misses++;
      this.#steps.change(step, { cacheKey });
      return version;
    }
    this.#hits++;
    this.#steps.change(step, {
      childId: found.jobId,
      cacheTimeUs: found.nowUs,
      reason: `cached: result of job ${found.jobId}`,
    });
    return undefined;
  }

  /** Forgets the cache keys of ended steps, and stores the results of successful ones. */
  ended(ends: readonly EndedStep[]): void {
    const { namespace } = this.#parts;
    for (const end of ends) {
      const { cacheKey, childId } = this.#steps.row(end.step);
      if (cacheKey === undefined) continue;
      const { cache } = this.#steps.graph.step(end.step);
      if (cache && childId !== undefined && isKept(end.state))
        this.kept.push({ namespace, keyHash: cacheKey, jobId: childId, maxAgeMs: cache.maxAgeMs });
      this.#steps.change(end.step, { cacheKey: undefined });
    }
  }
}

function hashOf({ text, bytes }: CacheKeyOrigin): Uint8Array {
  const hash = createHash('sha256').update(text);
  return (bytes ? hash.update(bytes) : hash).digest();
}
