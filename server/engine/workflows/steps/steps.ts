/** The steps of one workflow during an advance: loaded on demand, changed in memory, written at the end. */
import { type ItemChange, itemChange } from '../../../domain/workflows/counted-items.ts';
import type { Graph } from '../../../domain/workflows/graph.ts';
import { noneEnded } from '../../../domain/workflows/trigger-rules.ts';
import type { StoredStep, WorkflowStore, WrittenStep } from '../../ports/workflows.ts';
import type { KnownSteps } from './expected-steps.ts';

export const untouched: StoredStep = {
  state: 'WAITING',
  counts: noneEnded,
  neededItems: undefined,
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
  /** Fan-outs whose items other steps count: the rows that the last wave knew. */
  readonly #counted = new Map<number, StoredStep>();

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
    this.#replace(step, untouched, row);
  }

  /** The step must be loaded. */
  row(step: number): StoredStep {
    const row = this.#rows.get(step);
    if (!row) throw new Error(`step ${step} was not loaded`);
    return row;
  }

  change(step: number, change: Partial<StoredStep>): void {
    const before = this.row(step);
    this.#replace(step, before, { ...before, ...change });
  }

  #replace(step: number, before: StoredStep, row: StoredStep): void {
    this.#rows.set(step, row);
    this.#changed.add(step);
    if (!this.#counted.has(step) && this.graph.isCountedByItems(step)) this.#counted.set(step, before);
  }

  /** What has become of items that other steps count, since the last call: at most one change for each fan-out. */
  itemChanges(): ItemChange[] {
    const changes = [...this.#counted].flatMap(([step, before]) => {
      const change = itemChange(before, this.row(step));
      return change ? [{ step, change }] : [];
    });
    this.#counted.clear();
    return changes;
  }

  /** All loaded rows. */
  rows(): ReadonlyMap<number, StoredStep> {
    return this.#rows;
  }

  changed(): WrittenStep[] {
    return [...this.#changed].map((step) => ({ jobId: this.#jobId, step, ...this.row(step) }));
  }
}
