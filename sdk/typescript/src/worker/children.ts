/** Children of a job: its handler submits them and waits for them without holding a slot. */

import { Calls, present } from '../client/calls.ts';
import type { JobRef } from '../client/jobs/job-ref.ts';
import { idOf } from '../client/jobs/job-ref.ts';
import { jobResult } from '../client/jobs/job-wait.ts';
import type { JobOptions } from '../client/jobs/submission.ts';
import { jobOptions, jobSubmission } from '../client/jobs/submission.ts';
import { definitionOf, refuseInvalidInput } from '../client/jobs/submitter.ts';
import type { Job } from '../gen/muster/v1/job_pb.ts';
import { IdempotencyConflictPolicy } from '../gen/muster/v1/job_pb.ts';
import { JobService } from '../gen/muster/v1/job_service_pb.ts';
import { isTerminal } from '../job-state.ts';
import type { Known } from '../options/known-options.ts';
import { refuseUnknownOptions } from '../options/known-options.ts';
import { inSubmitSpan } from '../tracing/submit-span.ts';
import { openChannel } from '../transport/grpc-channel.ts';
import type { UnaryClient } from '../transport/unary-client.ts';
import { unaryClient } from '../transport/unary-client.ts';
import type { TypedJob, WithOutput } from '../typed/typed-job.ts';

/** Options of a child. */
export interface ChildOptions extends Omit<JobOptions, 'idempotencyKey' | 'idempotencyConflictPolicy'> {
  /**
   * Identifies the child when the handler runs again. Default: its number among the children that the handler submits.
   */
  readonly key?: string;
  /** The child continues when its parent ends. Default: false, it is cancelled then. */
  readonly detached?: boolean;
}

const { idempotencyKey: _key, idempotencyConflictPolicy: _policy, ...ofJobs } = jobOptions;
const childOptions: Known<ChildOptions> = { ...ofJobs, key: true, detached: true };

/** A submitted child, from this run of the handler or an earlier one. `Output`: type of its result, if known. */
export type Child<Output = unknown> = { readonly jobId: string } & WithOutput<Output>;

/** Maximum number of children that one report waits for. */
const MAX_AWAITED = 1_000;
/** Milliseconds that a call is retried, so that a restart of the control plane does not fail the handler. */
const PATIENCE_MS = 60_000;
/** Maximum number of children that are read concurrently. */
const AT_ONCE = 20;

/**
 * Thrown by `ctx.wait` and `ctx.ended` while children are open. It ends this run of the handler. Once the children have
 * ended, the handler runs again from its start. A handler must not catch it.
 */
export class WaitsForChildren extends Error {
  override readonly name = 'WaitsForChildren';
  /** At most 1,000 ids. */
  readonly childIds: readonly string[];

  constructor(childIds: readonly string[]) {
    super(
      'the handler waits for children of its job: it must not catch this error, and runs again once they have ended',
    );
    this.childIds = childIds.slice(0, MAX_AWAITED);
  }
}

export type SubmitRequest = Parameters<UnaryClient<(typeof JobService)['method']>['submitJob']>[0];

/** Calls that submit and read children. */
export interface ChildApi {
  /** UUID of the worker's session. */
  readonly sessionId: string;
  submit(request: SubmitRequest): Promise<Child>;
  get(jobId: string): Promise<Job>;
}

/** The calls of a worker's handlers. The first call opens the connection. */
export class ChildCalls implements ChildApi {
  sessionId = '';
  readonly #address: string;
  readonly #namespace: string;
  #calls: Calls | undefined;
  #jobs: UnaryClient<(typeof JobService)['method']> | undefined;

  constructor(address: string, namespace: string) {
    this.#address = address;
    this.#namespace = namespace;
  }

  async submit(request: SubmitRequest): Promise<Child> {
    const { calls, jobs } = this.#open();
    const filled = { ...request, namespace: this.#namespace };
    const definitions = [request.job?.definition ?? ''];
    const what = { address: this.#address, namespace: this.#namespace, definitions };
    const [child] = await inSubmitSpan(what, async (metadata) => [
      await calls.make('submit', {}, (options) => jobs.submitJob(filled, { ...options, metadata })),
    ]);
    return { jobId: present(child, 'job').jobId };
  }

  async get(jobId: string): Promise<Job> {
    const { calls, jobs } = this.#open();
    const request = { namespace: this.#namespace, jobId };
    return present((await calls.make('get', {}, (options) => jobs.getJob(request, options))).job, 'job');
  }

  close(): void {
    this.#calls?.channel.close();
  }

  #open() {
    const retry = { maxAttempts: Number.POSITIVE_INFINITY };
    const options = { address: this.#address, namespace: this.#namespace, timeoutMs: PATIENCE_MS, retry };
    this.#calls ??= new Calls(options, openChannel);
    this.#jobs ??= unaryClient(this.#calls.channel, JobService);
    return { calls: this.#calls, jobs: this.#jobs };
  }
}

/** The children of one run of a handler. */
export class Children {
  readonly #calls: ChildApi;
  readonly #parent: { readonly jobId: string; readonly attempt: number; readonly sessionId: string };
  #submitted = 0;

  constructor(calls: ChildApi, parent: { readonly jobId: string; readonly attempt: number }) {
    this.#calls = calls;
    this.#parent = { ...parent, sessionId: calls.sessionId };
  }

  async submit(job: string | TypedJob, input: unknown, options: ChildOptions): Promise<Child> {
    refuseUnknownOptions('submit', options, childOptions);
    const { key = String(this.#submitted++), detached = false, ...rest } = options;
    const submission = jobSubmission(definitionOf(job), input, {
      ...rest,
      idempotencyKey: `child/${this.#parent.jobId}/${key}`,
      idempotencyConflictPolicy: IdempotencyConflictPolicy.USE_EXISTING,
    });
    await refuseInvalidInput(job, input);
    return this.#calls.submit({ job: submission, parent: { ...this.#parent, detached } });
  }

  async ended(children: readonly JobRef[]): Promise<Job[]> {
    const jobs: Job[] = [];
    for (let at = 0; at < children.length; at += AT_ONCE)
      jobs.push(...(await Promise.all(children.slice(at, at + AT_ONCE).map((child) => this.#calls.get(idOf(child))))));
    const open = jobs.filter(({ state }) => !isTerminal(state));
    if (open.length > 0) throw new WaitsForChildren(open.map(({ jobId }) => jobId));
    return jobs;
  }

  async wait(children: readonly JobRef[]): Promise<unknown[]> {
    return (await this.ended(children)).map(jobResult);
  }
}
