/** Children in a test: they run when the handler waits for them. */
import { randomUUID } from 'node:crypto';
import { create, equals } from '@bufbuild/protobuf';
import { Code, MusterError } from '../error.ts';
import type { Job, JobSubmission } from '../gen/muster/v1/job_pb.ts';
import { JobSchema, JobState, JobSubmissionSchema } from '../gen/muster/v1/job_pb.ts';
import { isTerminal } from '../job-state.ts';
import { uuidText } from '../uuid.ts';
import type { Child, ChildApi, SubmitRequest } from '../worker/children.ts';
import type { StopReason } from '../worker/core/base/ports.ts';
import type { Outcome } from '../worker/core/sessions/outcome.ts';

/** A running handler of a child. */
export interface RunningChild {
  readonly end: Promise<Outcome | undefined>;
  stop(reason: StopReason): void;
}

/** Runs the children of a test. */
export interface ChildRunner {
  /** @throws MusterError when the test defines no such child, or children are nested too deeply. */
  accept(definition: string): void;
  /** `undefined`: the child stays open. */
  start(jobId: string, submission: JobSubmission): RunningChild | undefined;
}

interface KnownChild {
  readonly submission: JobSubmission;
  readonly job: Job;
}

export class DetachedChildren implements ChildApi {
  readonly sessionId = '';
  readonly #runner: ChildRunner;
  readonly #byKey = new Map<string, KnownChild>();
  readonly #byId = new Map<string, KnownChild>();
  #running: RunningChild | undefined;
  #stopped = false;

  constructor(runner: ChildRunner) {
    this.#runner = runner;
  }

  /** All submitted children, in order of submission. */
  get submissions(): JobSubmission[] {
    return Array.from(this.#byKey.values(), ({ submission }) => submission);
  }

  async submit({ job, parent }: SubmitRequest): Promise<Child> {
    const submission = create(JobSubmissionSchema, job);
    this.#runner.accept(submission.definition);
    const before = this.#byKey.get(submission.idempotencyKey);
    if (before === undefined) return this.#accept(submission, parent?.jobId ?? '');
    if (equals(JobSubmissionSchema, before.submission, submission)) return { jobId: before.job.jobId };
    throw new MusterError({
      code: Code.ALREADY_EXISTS,
      message: 'an earlier run of the handler has submitted another child in the place of this one',
      reason: 'IDEMPOTENCY_CONFLICT',
    });
  }

  async get(jobId: string): Promise<Job> {
    const child = this.#byId.get(jobId);
    if (child) return child.job;
    const message = `the handler has no child of the id ${jobId}`;
    throw new MusterError({ code: Code.NOT_FOUND, message, reason: 'JOB_NOT_FOUND', metadata: { job_id: jobId } });
  }

  /** Runs the given children that have not ended, one after the other. Returns whether all have ended. */
  async finish(childIds: readonly Uint8Array[]): Promise<boolean> {
    let allEnded = true;
    for (const id of childIds) {
      const child = this.#byId.get(uuidText(id));
      if (child && !this.#stopped) await this.#finish(child);
      if (child && !isTerminal(child.job.state)) allEnded = false;
    }
    return allEnded;
  }

  stop(reason: StopReason): void {
    this.#stopped = true;
    this.#running?.stop(reason);
  }

  #accept(submission: JobSubmission, parentJobId: string): Child {
    const { definition, labels, input } = submission;
    const jobId = randomUUID();
    const job = create(JobSchema, { jobId, definition, parentJobId, labels, state: JobState.READY });
    if (input !== undefined) job.input = input;
    const child = { submission, job };
    this.#byKey.set(submission.idempotencyKey, child);
    this.#byId.set(jobId, child);
    return { jobId };
  }

  async #finish({ job, submission }: KnownChild): Promise<void> {
    if (isTerminal(job.state)) return;
    this.#running = this.#runner.start(job.jobId, submission);
    const end = await this.#running?.end;
    this.#running = undefined;
    if (end?.case === 'result') job.state = JobState.SUCCEEDED;
    if (end?.case === 'failure') job.state = JobState.FAILED;
    if (end?.case === 'cancelled') job.state = JobState.CANCELLED;
    if (end?.case === 'result' || end?.case === 'failure') job.outcome = end;
  }
}
