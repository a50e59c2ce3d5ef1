/** Steps with a cache: whether the result of an earlier job stands for their own, and what is kept of theirs for others. */
import { createHash } from 'node:crypto';
import type { Payload } from '../../../domain/base/payload.ts';
import { type CacheKeyOrigin, cacheKeyOrigin, isFresh, isKept } from '../../../domain/workflows/step-cache.ts';
import type { EndedStep } from '../../../domain/workflows/step-state.ts';
import type { CacheLookups, KeptResult } from '../../ports/step-cache.ts';
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
   * Looks for the result of an earlier job. Undefined: the step has taken one. Else the version that its job is to be made from: a
   * newer one may come before that is made, and its result is another. Throws NoValue and NoJob.
   */
  async lookup(step: number, input: Payload): Promise<number | undefined> {
    const { store, namespace, stepJobs } = this.#parts;
    const { cache, ...from } = this.#steps.graph.step(step);
    const { name: definition, version, wait } = await stepJobs.definition(store, namespace, from);
    // It was none when the workflow was applied. What a person has approved once is not approved for good.
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

  /** Their keys are of no use any more. */
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
