/**
 * Predicts the steps whose jobs end next. Their rows are read in the round trip that takes the lock, which saves one. A
 * wrong guess costs no more than reading a step later.
 */
import type { Graph } from '../../../domain/workflows/graph.ts';
import { RecentMap } from '../../base/recent-map.ts';
import type { StepKey, WrittenStep } from '../../ports/workflows.ts';

/** Max steps per workflow: more steps that start together share their round trips anyway. */
const MAX_STEPS = 16;
/** Max workflows remembered, those used last. */
const MAX_WORKFLOWS = 1_000;

/** Steps read under the lock; a step without a row has none in the store. */
export interface KnownSteps {
  readonly steps: readonly number[];
  readonly rows: readonly WrittenStep[];
}

/** The rows read for the expected steps, by workflow. */
export function knownOf(expected: readonly StepKey[], rows: readonly WrittenStep[]): (jobId: string) => KnownSteps {
  const keysOf = Map.groupBy(expected, ({ jobId }) => jobId);
  const rowsOf = Map.groupBy(rows, ({ jobId }) => jobId);
  return (jobId) => ({ steps: (keysOf.get(jobId) ?? []).map(({ step }) => step), rows: rowsOf.get(jobId) ?? [] });
}

export class ExpectedSteps {
  readonly #byWorkflow = new RecentMap<string, readonly number[]>(MAX_WORKFLOWS);

  /** Remembers the running steps of an open workflow after these of its steps have changed. */
  note(jobId: string, graph: Graph, changed: readonly WrittenStep[]): void {
    const running = changed.filter(({ state }) => state === 'RUNNING').map(({ step }) => step);
    if (running.length === 0) return;
    this.forget(jobId);
    const next = new Set<number>();
    for (const step of running) {
      const steps = [step, ...graph.successors(step)];
      if (next.size + steps.length > MAX_STEPS) return;
      for (const one of steps) next.add(one);
    }
    this.#byWorkflow.set(jobId, [...next]);
  }

  forget(jobId: string): void {
    this.#byWorkflow.delete(jobId);
  }

  of(jobIds: readonly string[]): StepKey[] {
    return jobIds.flatMap((jobId) => (this.#byWorkflow.get(jobId) ?? []).map((step) => ({ jobId, step })));
  }
}
