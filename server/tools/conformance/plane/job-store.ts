/** The jobs that handlers submit: the part of JobService that children need. */
import { randomUUID } from 'node:crypto';
import { create, type Message } from '@bufbuild/protobuf';
import { type Job, JobSchema, JobState, type JobSubmission } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import {
  type GetJobRequest,
  GetJobResponseSchema,
  type ParentAttempt,
  type SubmissionResult,
  SubmissionResultSchema,
  type SubmitJobRequest,
  SubmitJobResponseSchema,
  type SubmitJobsRequest,
  SubmitJobsResponseSchema,
  WaitJobResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Payload } from '@muster-jobs/sdk/gen/muster/v1/payload_pb';
import type { Refusal } from '../refusal.ts';
import type { Call } from './rpc-server.ts';

/** A submitted job; identical submissions share one. */
export interface StoredJob {
  readonly jobId: string;
  readonly submission: JobSubmission;
  readonly parent: ParentAttempt | undefined;
  result: Payload | undefined;
}

export class JobStore {
  readonly jobs: StoredJob[] = [];

  answer({ method, request }: Call): { readonly message: Message } | { readonly refusal: Refusal } {
    switch (method) {
      case 'SubmitJob': {
        const { job, parent } = request as SubmitJobRequest;
        const { jobId, existing } = this.#submit(job, parent);
        return { message: create(SubmitJobResponseSchema, { jobId, existing }) };
      }
      case 'SubmitJobs': {
        const { jobs, parent } = request as SubmitJobsRequest;
        const answers = jobs.map((job) => this.#submit(job, parent));
        return { message: create(SubmitJobsResponseSchema, { jobs: answers }) };
      }
      case 'GetJob':
        return this.#read(request as GetJobRequest, (job) => create(GetJobResponseSchema, { job }));
      case 'WaitJob':
        return this.#read(request as GetJobRequest, (job) => create(WaitJobResponseSchema, { job }));
      default:
        return { refusal: { code: 'UNIMPLEMENTED', message: `the kit has no ${method}` } };
    }
  }

  #submit(submission: JobSubmission | undefined, parent: ParentAttempt | undefined): SubmissionResult {
    const key = submission?.idempotencyKey ?? '';
    const existing = key === '' ? undefined : this.jobs.find((job) => job.submission.idempotencyKey === key);
    if (existing) return create(SubmissionResultSchema, { jobId: existing.jobId, existing: true });
    const jobId = randomUUID();
    if (submission) this.jobs.push({ jobId, submission, parent, result: undefined });
    return create(SubmissionResultSchema, { jobId });
  }

  #read({ jobId }: GetJobRequest, answer: (job: Job) => Message) {
    const found = this.jobs.find((job) => job.jobId === jobId);
    if (!found) return { refusal: { code: 'NOT_FOUND', reason: 'JOB_NOT_FOUND', message: 'no such job' } as const };
    const { submission, result } = found;
    const state = result ? JobState.SUCCEEDED : JobState.READY;
    const outcome = result ? ({ case: 'result', value: result } as const) : ({ case: undefined } as const);
    return { message: answer(create(JobSchema, { jobId, definition: submission.definition, state, outcome })) };
  }
}
