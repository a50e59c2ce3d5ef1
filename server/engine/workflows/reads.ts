/** Reads a workflow's progress and its steps for callers: its definition combined with the stored steps. */
import { isTerminal } from '../../domain/jobs/job-state.ts';
import type { StepState } from '../../domain/workflows/step-state.ts';
import type { Workflow, WorkflowStep } from '../../domain/workflows/workflow.ts';
import type { DbClock } from '../base/db-clock.ts';
import { EngineError } from '../base/errors.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { JobView } from '../ports/jobs.ts';
import type { ShownStep, StepPage, StepQuery, StepRecord, WorkflowReads, WorkflowView } from '../ports/workflows.ts';
import { readHowFar } from './how-far.ts';

/** Max bytes of names on a page of steps; the rest of the page stays below the message limit. */
const PAGE_BYTES = 2 << 20;
/** Bytes assumed per step besides the names of the steps that it needs. */
const STEP_BYTES = 1_024;
const NEVER_STARTED = 'never started';
const over = { progress: 1, estimatedEndUs: undefined };

export interface WorkflowReaderParts {
  readonly store: WorkflowReads;
  readonly definitions: Pick<Definitions, 'get'>;
  readonly clock: Pick<DbClock, 'nowUs'>;
  /** Throws JOB_NOT_FOUND. */
  readonly getJob: (namespace: string, jobId: string) => Promise<JobView>;
}

/** Each method rejects with an EngineError: JOB_NOT_FOUND, NOT_A_WORKFLOW. */
export class WorkflowReader {
  readonly #parts: WorkflowReaderParts;

  constructor(parts: WorkflowReaderParts) {
    this.#parts = parts;
  }

  async get(namespace: string, jobId: string): Promise<WorkflowView> {
    const { job, workflow } = await this.#find(namespace, jobId);
    const { phase, counts, cached } = await this.#parts.store.readRun(jobId);
    const known = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const size = workflow.steps.length;
    const howFar = isTerminal(job.state) ? over : await readHowFar(this.#parts, workflow, job, phase);
    return { job, phase, size, counts: { ...counts, WAITING: counts.WAITING + size - known }, cached, ...howFar };
  }

  /** In the order of the definition. A page is shorter if its steps need very many others. */
  async list(namespace: string, jobId: string, query: StepQuery): Promise<StepPage> {
    const { job, workflow } = await this.#find(namespace, jobId);
    const matching = await this.#matching(jobId, workflow, query);
    const numbers = fitting(workflow, matching.slice(0, query.limit));
    const records = numbers.length > 0 ? await this.#parts.store.readSteps(jobId, numbers) : [];
    const byNumber = new Map(records.map((record) => [record.step, record]));
    const isOver = isTerminal(job.state);
    const steps = numbers.map((number) => shown(workflow, number, byNumber.get(number), isOver));
    return { steps, hasMore: matching.length > numbers.length };
  }

  /** The steps after `afterStep` in one of these states, up to one more than the limit. */
  async #matching(jobId: string, { steps }: Workflow, { afterStep, states, limit }: StepQuery): Promise<number[]> {
    const isAll = states.length === 0;
    const stored = isAll ? [] : await this.#parts.store.readStates(jobId, afterStep);
    const known = new Map(stored.map(({ step, state }) => [step, state]));
    const found: number[] = [];
    for (let step = afterStep + 1; step < steps.length && found.length <= limit; step++)
      if (isAll || states.includes(known.get(step) ?? 'WAITING')) found.push(step);
    return found;
  }

  /** A step of a workflow by its name. Also throws STEP_NOT_FOUND. */
  async findStep(namespace: string, jobId: string, name: string): Promise<{ number: number; step: WorkflowStep }> {
    const { job, workflow } = await this.#find(namespace, jobId);
    const number = workflow.steps.findIndex((step) => step.name === name);
    const step = workflow.steps[number];
    if (step) return { number, step };
    throw stepNotFound(jobId, job.definition, name, 'step');
  }

  async #find(namespace: string, jobId: string): Promise<{ job: JobView; workflow: Workflow }> {
    const job = await this.#parts.getJob(namespace, jobId);
    const { workflow } = await this.#parts.definitions.get(namespace, job.definition, job.definitionVersion);
    if (workflow) return { job, workflow };
    throw notAWorkflow(jobId, job.definition);
  }
}

export function notAWorkflow(jobId: string, definition: string): EngineError {
  return new EngineError('NOT_A_WORKFLOW', `job ${jobId} is a task, made from ${definition}: it has no steps`, {
    metadata: { job_id: jobId, definition },
  });
}

export function stepNotFound(jobId: string, definition: string, name: string, field: string): EngineError {
  return new EngineError('STEP_NOT_FOUND', `workflow ${definition} of job ${jobId} has no step "${name}"`, {
    field,
    metadata: { job_id: jobId, step: name },
  });
}

/** As many as fit on a page, at least one. */
function fitting({ steps }: Workflow, numbers: readonly number[]): number[] {
  let bytes = 0;
  return numbers.filter((number, i) => {
    const { needs, needsPrefixes = [] } = steps[number] as WorkflowStep;
    for (const name of [...needs, ...needsPrefixes]) bytes += name.length + 2;
    bytes += STEP_BYTES;
    return i === 0 || bytes <= PAGE_BYTES;
  });
}

function shown({ steps }: Workflow, number: number, record: StepRecord | undefined, isOver: boolean): ShownStep {
  const step = steps[number];
  if (!step) throw new Error(`the workflow has no step ${number}`);
  const state: StepState = record?.state ?? 'WAITING';
  return {
    step,
    number,
    state,
    reason: isOver && state === 'WAITING' ? NEVER_STARTED : (record?.reason ?? ''),
    childId: record?.childId,
    iteration: record?.iteration ?? 0,
    fanOut: record?.fanOut,
    startTimeUs: record?.startTimeUs,
    endTimeUs: record?.endTimeUs,
    cached: record?.cached ?? false,
    compensation: record?.compensation,
  };
}
