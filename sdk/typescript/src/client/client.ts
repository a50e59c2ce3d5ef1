/** Submits jobs to Muster and follows them. */
import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { clone, create, isMessage } from '@bufbuild/protobuf';
import type { Client as GrpcClient } from '@grpc/grpc-js';
import { Code, MusterError } from '../error.ts';
import type { JobDefinition } from '../gen/muster/v1/job_definition_pb.ts';
import { JobDefinitionSchema, TaskBodySchema } from '../gen/muster/v1/job_definition_pb.ts';
import type { ListJobDefinitionsResponse } from '../gen/muster/v1/job_definition_service_pb.ts';
import { JobDefinitionService } from '../gen/muster/v1/job_definition_service_pb.ts';
import type { Job } from '../gen/muster/v1/job_pb.ts';
import { JobService } from '../gen/muster/v1/job_service_pb.ts';
import type { ListWorkersResponse } from '../gen/muster/v1/worker_service_pb.ts';
import { WorkerService } from '../gen/muster/v1/worker_service_pb.ts';
import { openChannel } from '../transport/channel.ts';
import type { CallOptions, UnaryClient } from '../transport/unary-client.ts';
import { unaryClient } from '../transport/unary-client.ts';
import type { JobChange } from './job-change.ts';
import { jobChange } from './job-change.ts';
import type { JobFilter } from './job-filter.ts';
import { jobFilter } from './job-filter.ts';
import type { Redriven } from './job-pages.ts';
import { cancelPages, retryPages } from './job-pages.ts';
import type { WaitOptions } from './job-wait.ts';
import { jobResult, waitForEnd } from './job-wait.ts';
import type { RetryPolicyInit } from './retry-policy.ts';
import { retryPolicy } from './retry-policy.ts';
import type { JobOptions } from './submission.ts';
import { jobSubmission } from './submission.ts';
import type { TransportRetry } from './transport-retry.ts';
import { DEFAULT_RETRY, withRetry } from './transport-retry.ts';

export interface ClientOptions {
  /** gRPC target of the control plane, such as `localhost:7070` or `dns:///muster:7070`. */
  readonly address: string;
  /** Default: `default`. */
  readonly namespace?: string;
  /** Longest time of a call in milliseconds, repeats included. Default: 15,000. */
  readonly timeoutMs?: number;
  /** How calls are repeated while the control plane can't be reached. */
  readonly retry?: Partial<TransportRetry>;
}

/** What each call takes besides its own parameters. */
export interface RequestOptions {
  /** Replaces the client's `timeoutMs` for this call. */
  readonly timeoutMs?: number;
  /** Ends the call early with CANCELLED. */
  readonly signal?: AbortSignal;
  /** UUID that makes repeats of this call harmless, over restarts of this process too. Default: a new one. */
  readonly requestId?: string;
}

/** A job as it was accepted. */
export interface SubmittedJob {
  readonly jobId: string;
  /** Whether the job was there already: the idempotency key or the request id was in use. */
  readonly existing: boolean;
}

/** One job of `submitMany`. */
export interface JobRequest extends JobOptions {
  readonly definition: string;
  readonly input?: unknown;
}

/** A job's id, or anything that carries it. */
export type JobRef = string | { readonly jobId: string };

/** A definition; without a `body` it is a task that the handler of the same name runs. */
export type DefinitionInit =
  | JobDefinition
  | (Omit<Exclude<MessageInitShape<typeof JobDefinitionSchema>, JobDefinition>, 'retryPolicy'> & {
      /** How failed attempts are retried. Default: three attempts with exponential backoff. */
      readonly retryPolicy?: RetryPolicyInit;
    });

/**
 * A connection to Muster. Every method fails with a `MusterError`; UNAVAILABLE is repeated a bounded number of times
 * under one request id, so that a repeated submission is the same job.
 */
export class Client {
  readonly #channel: GrpcClient;
  readonly #namespace: string;
  readonly #timeoutMs: number;
  readonly #retry: TransportRetry;
  readonly #jobs: UnaryClient<(typeof JobService)['method']>;
  readonly #definitions: UnaryClient<(typeof JobDefinitionService)['method']>;
  readonly #workers: UnaryClient<(typeof WorkerService)['method']>;

  constructor(options: ClientOptions) {
    this.#channel = openChannel(options.address);
    this.#namespace = options.namespace ?? '';
    this.#timeoutMs = options.timeoutMs ?? 15_000;
    this.#retry = { ...DEFAULT_RETRY, ...options.retry };
    this.#jobs = unaryClient(this.#channel, JobService);
    this.#definitions = unaryClient(this.#channel, JobDefinitionService);
    this.#workers = unaryClient(this.#channel, WorkerService);
  }

  /** Stores a definition as a new version; the same content again gives the version that is there. */
  async applyDefinition(definition: DefinitionInit, options: RequestOptions = {}): Promise<JobDefinition> {
    const request = {
      definition: withDefaults(definition, this.#namespace),
      requestId: options.requestId ?? randomUUID(),
    };
    const response = await this.#call(options, (call) => this.#definitions.applyJobDefinition(request, call));
    return present(response.definition, 'definition');
  }

  /** Reads a definition. `version` 0: the newest. */
  async getDefinition(name: string, version = 0, options: RequestOptions = {}): Promise<JobDefinition> {
    const request = { namespace: this.#namespace, name, version };
    const response = await this.#call(options, (call) => this.#definitions.getJobDefinition(request, call));
    return present(response.definition, 'definition');
  }

  /** Lists a page of definitions by name, each in its newest version; archived ones only if asked for. */
  listDefinitions(
    page: { pageSize?: number; pageToken?: string; showArchived?: boolean } = {},
    options: RequestOptions = {},
  ): Promise<ListJobDefinitionsResponse> {
    const request = { namespace: this.#namespace, ...page };
    return this.#call(options, (call) => this.#definitions.listJobDefinitions(request, call));
  }

  /** Refuses new jobs of a definition; those that exist go on. Applying it again, also unchanged, brings it back. */
  async archiveDefinition(name: string, options: RequestOptions = {}): Promise<JobDefinition> {
    const request = { namespace: this.#namespace, name, requestId: options.requestId ?? randomUUID() };
    const response = await this.#call(options, (call) => this.#definitions.archiveJobDefinition(request, call));
    return present(response.definition, 'definition');
  }

  /**
   * Stores a job; when it answers, the job is committed.
   *
   * @param input Any JSON value, a `Uint8Array` (application/octet-stream), a `Payload`, or nothing.
   */
  async submit(definition: string, input?: unknown, options: JobOptions & RequestOptions = {}): Promise<SubmittedJob> {
    const { timeoutMs: _timeoutMs, signal: _signal, requestId = randomUUID(), ...job } = options;
    const request = { namespace: this.#namespace, job: jobSubmission(definition, input, job), requestId };
    const { jobId, existing } = await this.#call(options, (call) => this.#jobs.submitJob(request, call));
    return { jobId, existing };
  }

  /** Stores up to 10,000 jobs of at most 3 MiB together, all or none; answers in their order. */
  async submitMany(jobs: readonly JobRequest[], options: RequestOptions = {}): Promise<SubmittedJob[]> {
    const request = {
      namespace: this.#namespace,
      jobs: jobs.map(({ definition, input, ...job }) => jobSubmission(definition, input, job)),
      requestId: options.requestId ?? randomUUID(),
    };
    const response = await this.#call(options, (call) => this.#jobs.submitJobs(request, call));
    return response.jobs.map(({ jobId, existing }) => ({ jobId, existing }));
  }

  /** Reads a job as it is now. */
  async get(job: JobRef, options: RequestOptions = {}): Promise<Job> {
    const response = await this.#call(options, (call) => this.#jobs.getJob(this.#target(job), call));
    return present(response.job, 'job');
  }

  /** Waits until the job has ended or `timeoutMs` is up, and answers the job as it is then. */
  wait(job: JobRef, options: WaitOptions = {}): Promise<Job> {
    return waitForEnd(this.#jobs, this.#retry, this.#target(job), options);
  }

  /**
   * Waits for the job's end and answers what its handler returned.
   *
   * @throws JobFailedError when it ended without a result.
   * @throws MusterError DEADLINE_EXCEEDED when `timeoutMs` is up before.
   */
  async result<T = unknown>(job: JobRef, options: WaitOptions = {}): Promise<T> {
    return jobResult(await this.wait(job, options)) as T;
  }

  /**
   * Asks a job to stop and answers it as it is then: CANCELLED, or CANCELLING while its handler has yet to return.
   *
   * @param reason Why, for people. At most 256 characters.
   */
  async cancel(job: JobRef, reason = '', options: RequestOptions = {}): Promise<Job> {
    const request = { ...this.#target(job), reason, requestId: options.requestId ?? randomUUID() };
    const response = await this.#call(options, (call) => this.#jobs.cancelJob(request, call));
    return present(response.job, 'job');
  }

  /**
   * Holds a job that waits, and answers it as it is then. Its expiry goes on.
   *
   * @param reason Why, for people. At most 256 characters.
   */
  async pause(job: JobRef, reason = '', options: RequestOptions = {}): Promise<Job> {
    const request = { ...this.#target(job), reason, requestId: options.requestId ?? randomUUID() };
    const response = await this.#call(options, (call) => this.#jobs.pauseJob(request, call));
    return present(response.job, 'job');
  }

  /** Lets a paused job go on: at once, or at its run time if that is still to come. */
  async resume(job: JobRef, options: RequestOptions = {}): Promise<Job> {
    const request = { ...this.#target(job), requestId: options.requestId ?? randomUUID() };
    const response = await this.#call(options, (call) => this.#jobs.resumeJob(request, call));
    return present(response.job, 'job');
  }

  /** Changes priority, run time or expiry of a job that waits; what is left out stays as it is. */
  async update(job: JobRef, change: JobChange, options: RequestOptions = {}): Promise<Job> {
    const request = { ...this.#target(job), ...jobChange(change), requestId: options.requestId ?? randomUUID() };
    const response = await this.#call(options, (call) => this.#jobs.updateJob(request, call));
    return present(response.job, 'job');
  }

  /** Makes a new job like one that has ended, and answers it; its `retryOf` names the old one. */
  async retry(job: JobRef, options: RequestOptions = {}): Promise<Job> {
    const request = { ...this.#target(job), requestId: options.requestId ?? randomUUID() };
    const response = await this.#call(options, (call) => this.#jobs.retryJob(request, call));
    return present(response.job, 'job');
  }

  /**
   * Erases what an ended job holds of a person's data, for good, and answers the id of the audit record.
   *
   * @param reason Why, and on whose demand. Between 1 and 256 characters.
   */
  async erase(job: JobRef, reason: string, options: RequestOptions = {}): Promise<string> {
    const request = { ...this.#target(job), reason };
    return (await this.#call(options, (call) => this.#jobs.eraseJob(request, call))).auditId;
  }

  /**
   * Cancels all open jobs that match, page by page, and answers how many were cancelled or asked to stop.
   *
   * @param options `validateOnly` counts them only; `reason` is for people, at most 256 characters.
   */
  cancelJobs(
    filter: JobFilter,
    options: RequestOptions & { reason?: string; validateOnly?: boolean } = {},
  ): Promise<number> {
    const { reason = '', validateOnly = false } = options;
    const request = { namespace: this.#namespace, filter: jobFilter(filter), reason, validateOnly };
    return cancelPages((page) => this.#call(options, (call) => this.#jobs.cancelJobs(page, call)), request);
  }

  /**
   * Retries all jobs that match and were not retried before, page by page, as new jobs. Without `states` in the filter:
   * FAILED and EXPIRED ones. A redrive that broke off may be begun again: no job is retried twice by it.
   *
   * @param options `validateOnly` counts them only.
   */
  redrive(filter: JobFilter, options: RequestOptions & { validateOnly?: boolean } = {}): Promise<Redriven> {
    const { validateOnly = false } = options;
    const request = { namespace: this.#namespace, filter: jobFilter(filter), validateOnly };
    return retryPages((page) => this.#call(options, (call) => this.#jobs.retryJobs(page, call)), request);
  }

  /** Lists a page of the workers whose session is open or closing. */
  listWorkers(
    page: { pageSize?: number; pageToken?: string } = {},
    options: RequestOptions = {},
  ): Promise<ListWorkersResponse> {
    return this.#call(options, (call) => this.#workers.listWorkers({ namespace: this.#namespace, ...page }, call));
  }

  /** Ends the connection; calls under way fail. */
  close(): void {
    this.#channel.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #target(job: JobRef): { namespace: string; jobId: string } {
    return { namespace: this.#namespace, jobId: typeof job === 'string' ? job : job.jobId };
  }

  #call<T>(options: RequestOptions, call: (options: CallOptions) => Promise<T>): Promise<T> {
    const { signal, timeoutMs = this.#timeoutMs } = options;
    return withRetry(this.#retry, { timeoutMs, signal }, (left) => call({ timeoutMs: left, signal }));
  }
}

function inMessages(init: DefinitionInit): MessageInitShape<typeof JobDefinitionSchema> {
  if (isMessage(init, JobDefinitionSchema)) return init;
  const { retryPolicy: policy, ...same } = init;
  return policy === undefined ? same : { ...same, retryPolicy: retryPolicy(policy) };
}

function withDefaults(init: DefinitionInit, namespace: string): JobDefinition {
  const definition = clone(JobDefinitionSchema, create(JobDefinitionSchema, inMessages(init)));
  definition.namespace ||= namespace;
  if (definition.body.case === undefined) definition.body = { case: 'task', value: create(TaskBodySchema) };
  return definition;
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new MusterError({ code: Code.INTERNAL, message: `the reply names no ${what}` });
  return value;
}
