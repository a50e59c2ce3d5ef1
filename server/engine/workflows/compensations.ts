/** Compensates steps, one after another, in the transaction that advances their workflow. */

import type { Payload } from '../../domain/base/payload.ts';
import { isTerminal } from '../../domain/jobs/job-state.ts';
import { compensationOf, isCompensable, nextCompensation } from '../../domain/workflows/compensation.ts';
import type { EndedStep } from '../../domain/workflows/step-state.ts';
import type { WorkflowStep } from '../../domain/workflows/workflow.ts';
import { NoJob } from '../jobs/submit/inner-jobs.ts';
import type { InboxRow } from '../ports/inbox.ts';
import type { NewJob } from '../ports/submissions.ts';
import type { StoredCompensation, WrittenCompensation } from '../ports/workflows.ts';
import type { AdvanceParts } from './advance-parts.ts';
import type { Steps } from './steps/steps.ts';
import { NoValue, payloadOf, type Values } from './values.ts';

/** Max characters about failed compensations in the workflow's failure; `muster graph` shows all. */
const MAX_NOTE_LENGTH = 1_000;

export class Compensations {
  readonly #parts: AdvanceParts;
  readonly #steps: Steps;
  readonly #values: Values;
  readonly #changed = new Map<number, StoredCompensation>();
  /** Compensations of steps that ended later have been started. */
  #before: number | undefined;
  #begun = 0;
  readonly jobs: NewJob[] = [];
  /** Why compensations are missing; undefined: none failed. */
  notUndone: string | undefined;

  constructor(parts: AdvanceParts, steps: Steps, values: Values) {
    this.#parts = parts;
    this.#steps = steps;
    this.#values = values;
    this.notUndone = parts.workflow.notUndone;
  }

  /** Records compensations for successful steps of the WORK phase; `before` steps had ended before these. */
  owe(ends: readonly EndedStep[], before: number): void {
    for (const [i, end] of ends.entries())
      if (isCompensable(this.#steps.graph, end))
        this.#changed.set(end.step, {
          endNumber: before + i,
          state: 'WAITING',
          compensationId: undefined,
          reason: undefined,
        });
  }

  /** Applies ended compensations. Returns their number. */
  async ended(inbox: readonly (InboxRow & { readonly step: number })[]): Promise<number> {
    const { store, workflow } = this.#parts;
    const keys = inbox.map(({ step }) => ({ jobId: workflow.jobId, step }));
    const rows = await store.workflows.readCompensations(keys);
    let ended = 0;
    for (const { jobId: _, step, ...row } of rows) {
      const report = inbox.find((one) => one.step === step && one.childIds.includes(row.compensationId ?? ''));
      if (row.state !== 'RUNNING' || !report?.state || !isTerminal(report.state)) continue;
      ended++;
      const good = report.state === 'SUCCEEDED';
      this.#changed.set(step, { ...row, state: good ? 'SUCCEEDED' : 'FAILED' });
      if (!good)
        this.#fail(
          step,
          row,
          `job ${row.compensationId} ${report.state === 'FAILED' ? 'failed' : `is ${report.state}`}`,
        );
    }
    return ended;
  }

  /** Starts the next one. FAILED: it can't be started. LATER: this transaction has reached its max jobs. */
  async next(): Promise<'RUNS' | 'FAILED' | 'LATER'> {
    if (this.#begun++ >= this.#parts.startLimits.jobs) return 'LATER';
    const found = await this.#last();
    if (!found) throw new Error('a step must be compensated, but none is known');
    const { step, ...row } = found;
    this.#before = row.endNumber;
    try {
      const job = await this.#makeJob(step);
      this.jobs.push(job);
      this.#changed.set(step, { ...row, state: 'RUNNING', compensationId: job.jobId });
      return 'RUNS';
    } catch (error) {
      if (!(error instanceof NoValue || error instanceof NoJob)) throw error;
      this.#fail(step, row, error.message);
      return 'FAILED';
    }
  }

  changed(): WrittenCompensation[] {
    const { jobId } = this.#parts.workflow;
    return Array.from(this.#changed, ([step, row]) => ({ jobId, step, ...row }));
  }

  #fail(step: number, row: StoredCompensation, reason: string): void {
    this.#changed.set(step, { ...row, state: 'FAILED', reason });
    const text = `step "${this.#steps.graph.step(step).name}" is not undone: ${reason}`;
    const report = this.notUndone ? `${this.notUndone}; ${text}` : text;
    if (report.length <= MAX_NOTE_LENGTH || !this.notUndone) this.notUndone = report.slice(0, MAX_NOTE_LENGTH);
  }

  /** The next compensation, among stored ones and those of steps that ended in this transaction. */
  async #last(): Promise<(StoredCompensation & { readonly step: number }) | undefined> {
    const { store, workflow } = this.#parts;
    const before = this.#before ?? Number.POSITIVE_INFINITY;
    const fresh = Array.from(this.#changed, ([step, row]) => ({ step, ...row })).filter(
      ({ state, endNumber }) => state === 'WAITING' && endNumber < before,
    );
    const stored = await store.workflows.readNextCompensation(workflow.jobId, this.#before);
    return nextCompensation(stored ? [stored, ...fresh] : fresh);
  }

  async #makeJob(step: number): Promise<NewJob> {
    const { store, namespace, workflow, stepJobs } = this.#parts;
    const { compensation } = this.#steps.graph.step(step);
    if (!compensation) throw new Error(`step ${step} has no compensation`);
    await this.#steps.load([step]);
    const parent = { jobId: workflow.jobId, step: compensationOf(step), item: 0 };
    const input = await this.#input(step, compensation);
    return stepJobs.make(store, { namespace, workflow }, compensation, input, parent);
  }

  async #input(step: number, { input }: NonNullable<WorkflowStep['compensation']>): Promise<Payload> {
    const expression = input === undefined ? undefined : this.#parts.body.expression('compensation', step);
    if (!expression) return this.#values.result(step);
    const output = expression.usesOutput ? await this.#values.output(step) : undefined;
    return payloadOf(await this.#values.evaluate(expression, { output }));
  }
}
