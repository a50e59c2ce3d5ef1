/** The steps of one workflow during an advance: loaded on demand, changed in memory, written at the end. */
import type { Graph } from '../../../domain/workflows/graph.ts';
import { noneEnded } from '../../../domain/workflows/trigger-rules.ts';
import type { StoredStep, WorkflowStore, WrittenStep } from '../../ports/workflows.ts';
import type { KnownSteps } from './expected-steps.ts';

export const untouched: StoredStep = {
  state: 'WAITING',
  counts: noneEnded,
  childId: undefined,
  iteration: 0,
  fanOut: undefined,
  reason: undefined,
  adoptedFrom: undefined,
  skipReason: undefined,
  cacheKey: undefined,
  cacheTimeUs: undefined,
};

export class Steps {
  readonly graph: Graph;
  readonly #jobId: string;
  readonly #store: Pick<WorkflowStore, 'readSteps'>;
  readonly #rows = new Map<number, StoredStep>();
  readonly #changed = new Set<number>();

  constructor(graph: Graph, jobId: string, store: Pick<WorkflowStore, 'readSteps'>, known?: KnownSteps) {
    this.graph = graph;
    this.#jobId = jobId;
    this.#store = store;
    if (known) this.#take(known.steps, known.rows);
  }

  async load(steps: Iterable<number>): Promise<void> {
    const missing = [...new Set(steps)].filter((step) => !this.#rows.has(step));
    if (missing.length === 0) return;
    this.#take(missing, []);
    this.#take([], await this.#store.readSteps(missing.map((step) => ({ jobId: this.#jobId, step }))));
  }

  #take(steps: readonly number[], rows: readonly WrittenStep[]): void {
    for (const step of steps) this.#rows.set(step, untouched);
    for (const { jobId: _, step, ...row } of rows) this.#rows.set(step, row);
  }

  /** Sets the row of a step that has none stored yet. */
  put(step: number, row: StoredStep): void {
    this.#rows.set(step, row);
    this.#changed.add(step);
  }

  /** The step must be loaded. */
  row(step: number): StoredStep {
    const row = this.#rows.get(step);
    if (!row) throw new Error(`step ${step} was not loaded`);
    return row;
  }

  change(step: number, change: Partial<StoredStep>): void {
    this.#rows.set(step, { ...this.row(step), ...change });
    this.#changed.add(step);
  }

  /** All loaded rows. */
  rows(): ReadonlyMap<number, StoredStep> {
    return this.#rows;
  }

  changed(): WrittenStep[] {
    return [...this.#changed].map((step) => ({ jobId: this.#jobId, step, ...this.row(step) }));
  }
}
