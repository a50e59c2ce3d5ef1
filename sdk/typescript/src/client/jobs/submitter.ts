/** Submits jobs, of plain definitions and typed ones. Inputs of typed jobs are checked before anything is sent. */
import { Code, MusterError } from '../../error.ts';
import type { JobSubmission } from '../../gen/muster/v1/job_pb.ts';
import { JobService } from '../../gen/muster/v1/job_service_pb.ts';
import type { Known } from '../../options/known-options.ts';
import { refuseUnknownOptions } from '../../options/known-options.ts';
import type { Submitting } from '../../tracing/submit-span.ts';
import { inSubmitSpan } from '../../tracing/submit-span.ts';
import type { CallOptions } from '../../transport/channel.ts';
import type { UnaryClient } from '../../transport/unary-client.ts';
import { unaryClient } from '../../transport/unary-client.ts';
import type { TypedJob } from '../../typed/typed-job.ts';
import { check, issuesText } from '../../typed/validation.ts';
import { newUuid } from '../../uuid.ts';
import type { Calls, RequestOptions } from '../calls.ts';
import { present, requestOptions } from '../calls.ts';
import { idOf } from './job-ref.ts';
import type { JobOptions, JobRequest, MemberOptions, SubmittedJob, TypedJobRequest } from './submission.ts';
import { jobOptions, jobRequest, jobSubmission, typedJobRequest } from './submission.ts';

/** Options of one submission. */
export type SubmitOptions = JobOptions & RequestOptions & MemberOptions;
/** Options of a submission of many jobs. */
export type SubmitManyOptions = RequestOptions & MemberOptions;

const submitOptions: Known<SubmitOptions> = { ...jobOptions, ...requestOptions, batch: true };
const submitManyOptions: Known<SubmitManyOptions> = { ...requestOptions, batch: true };

interface Violation {
  readonly field: string;
  readonly description: string;
}

export class Submitter {
  readonly #calls: Calls;
  readonly #jobs: UnaryClient<(typeof JobService)['method']>;

  constructor(calls: Calls) {
    this.#calls = calls;
    this.#jobs = unaryClient(calls.channel, JobService);
  }

  async submit(job: string | TypedJob, input: unknown, options: SubmitOptions): Promise<SubmittedJob> {
    refuseUnknownOptions('submit', options, submitOptions);
    const definition = definitionOf(job);
    const { timeoutMs: _timeoutMs, signal: _signal, requestId = newUuid(), batch = '', ...rest } = options;
    const { namespace } = this.#calls;
    // Encoded before anything is awaited: the caller may change the input then.
    const request = { namespace, job: jobSubmission(definition, input, rest), requestId, batchJobId: idOf(batch) };
    await refuseInvalidInput(job, input);
    const [submitted] = await inSubmitSpan(this.#submitting([definition]), async (metadata) => [
      await this.#make('submit', options, (call) => this.#jobs.submitJob(request, { ...call, metadata })),
    ]);
    const { jobId, existing } = present(submitted, 'job');
    return { jobId, existing };
  }

  async submitMany(
    requests: readonly (JobRequest | TypedJobRequest)[],
    options: SubmitManyOptions,
  ): Promise<SubmittedJob[]> {
    refuseUnknownOptions('submitMany', options, submitManyOptions);
    const jobs = requests.map(submissionOf);
    await refuseInvalidInputs(requests);
    const request = {
      namespace: this.#calls.namespace,
      jobs,
      requestId: options.requestId ?? newUuid(),
      batchJobId: idOf(options.batch ?? ''),
    };
    const submitting = this.#submitting(jobs.map(({ definition }) => definition));
    const submitted = await inSubmitSpan(submitting, async (metadata) => {
      const send = (call: CallOptions) => this.#jobs.submitJobs(request, { ...call, metadata });
      return (await this.#make('submitMany', options, send)).jobs;
    });
    return submitted.map(({ jobId, existing }) => ({ jobId, existing }));
  }

  /** The options are checked: those of jobs are among them. */
  #make<T>(name: string, options: RequestOptions, send: (call: CallOptions) => Promise<T>): Promise<T> {
    return this.#calls.make(name, options, send, submitOptions);
  }

  #submitting(definitions: readonly string[]): Submitting {
    return { address: this.#calls.channel.address, namespace: this.#calls.namespace, definitions };
  }
}

/** The name of the job's definition. */
export function definitionOf(job: string | TypedJob): string {
  return typeof job === 'string' ? job : job.name;
}

/** @throws MusterError INVALID_ARGUMENT (INPUT_SCHEMA_VIOLATED) when the input does not fit the schema of a typed job. */
export async function refuseInvalidInput(job: string | TypedJob, input: unknown): Promise<void> {
  if (typeof job === 'string') return;
  const { issues } = await check(job.input, input);
  if (issues) throw inputViolated([{ field: 'job.input', description: issuesText(issues) }]);
}

function submissionOf(request: JobRequest | TypedJobRequest, i: number): JobSubmission {
  const where = `submitMany: jobs[${i}]`;
  if ('job' in request) {
    refuseUnknownOptions(where, request, typedJobRequest);
    const { job, input, ...options } = request;
    return jobSubmission(job.name, input, options, where);
  }
  refuseUnknownOptions(where, request, jobRequest);
  const { definition, input, ...options } = request;
  return jobSubmission(definition, input, options, where);
}

/** Checks the inputs of typed jobs, those of asynchronous schemas concurrently. */
async function refuseInvalidInputs(requests: readonly (JobRequest | TypedJobRequest)[]): Promise<void> {
  const violations: Violation[] = [];
  const pending: Promise<void>[] = [];
  for (const [i, request] of requests.entries()) {
    if (!('job' in request)) continue;
    const take = ({ issues }: Awaited<ReturnType<typeof check>>) => {
      if (issues) violations.push({ field: `jobs[${i}].input`, description: issuesText(issues) });
    };
    const result = check(request.job.input, request.input);
    if (result instanceof Promise) pending.push(result.then(take));
    else take(result);
  }
  await Promise.all(pending);
  if (violations.length > 0) throw inputViolated(violations);
}

/** The same error as that of the control plane for a JSON Schema. */
function inputViolated(violations: readonly Violation[]): MusterError {
  const [first] = violations;
  const others = violations.length - 1;
  const more = others > 0 ? `, and ${others} more input${others > 1 ? 's that do' : ' that does'} not fit` : '';
  return new MusterError({
    code: Code.INVALID_ARGUMENT,
    message: `${first?.field} does not fit its schema: ${first?.description}${more}`,
    reason: 'INPUT_SCHEMA_VIOLATED',
    fieldViolations: violations,
  });
}
