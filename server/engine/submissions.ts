/** Submits jobs: resolves what they are made from, gives them their ids and ranks, and stores them with other callers' jobs. */
import { createHash } from 'node:crypto';
import type { Demands, JobDefinition, RetryPolicy } from '../domain/definition.ts';
import type { Payload } from '../domain/payload.ts';
import { canonicalDemands } from '../domain/placement.ts';
import { rankOf } from '../domain/rank.ts';
import { earliest, limitsFrom } from '../domain/time-limits.ts';
import { Batcher } from './batcher.ts';
import type { DbClock } from './db-clock.ts';
import type { Definitions } from './definitions.ts';
import { EngineError } from './errors.ts';
import type { JobIds } from './job-ids.ts';
import type { Lanes } from './lanes.ts';
import type { Random, Timers } from './ports.ts';
import type { IdempotencyKey, NewJob, SubmitCall, SubmitResult, SubmittedJob } from './store-port.ts';
import { type SubmissionFlushParts, submissionFlush } from './submission-flush.ts';

/** What a client asks to be run; checked, spans in ms, times in µs since 1970. */
export interface Submission {
  readonly definition: string;
  /** 0: the newest. */
  readonly definitionVersion: number;
  readonly input: Payload;
  /** Empty: none. */
  readonly idempotencyKey: string;
  readonly conflictPolicy: 'FAIL' | 'USE_EXISTING';
  readonly labels: Readonly<Record<string, string>>;
  readonly priority?: number | undefined;
  readonly runTimeUs?: number | undefined;
  readonly delayMs?: number | undefined;
  readonly expireTimeUs?: number | undefined;
  /** Empty: the definition's. */
  readonly queue: string;
  readonly retryPolicy?: RetryPolicy | undefined;
  readonly runTimeoutMs?: number | undefined;
  readonly demands?: Demands | undefined;
  readonly traceparent: string;
  readonly tracestate: string;
  /** The job that this one retries. */
  readonly retryOf?: string | undefined;
}

export interface Submit {
  readonly namespace: string;
  /** Empty: none. */
  readonly requestId: string;
  readonly bodyHash: Uint8Array;
  readonly submissions: readonly Submission[];
  /** Path of the submissions in the request, for errors: `job` or `jobs`. */
  readonly field: 'job' | 'jobs';
}

export interface SubmissionsParts extends SubmissionFlushParts {
  readonly definitions: Definitions;
  readonly lanes: Lanes;
  readonly ids: JobIds;
  readonly clock: DbClock;
  readonly timers: Timers;
  readonly random: Random;
}

export class Submissions {
  readonly #parts: SubmissionsParts;
  readonly #batcher: Batcher<SubmitCall, SubmitResult>;

  constructor(parts: SubmissionsParts) {
    this.#parts = parts;
    this.#batcher = new Batcher({
      name: 'submissions',
      flush: submissionFlush(parts),
      sizeOf: (call) => ({
        rows: call.jobs.length,
        bytes: call.jobs.reduce((sum, job) => sum + job.input.data.length, 0),
      }),
      timers: parts.timers,
      random: parts.random,
    });
  }

  /** Resolves once the jobs are committed. Rejects with an EngineError, and then none of them is stored. */
  async submit(request: Submit): Promise<readonly SubmittedJob[]> {
    const jobs: NewJob[] = [];
    for (const [i, submission] of request.submissions.entries()) {
      const path = request.field === 'job' ? 'job' : `jobs[${i}]`;
      jobs.push(await this.#build(request.namespace, submission, path));
    }
    const call = { namespace: request.namespace, jobs, ...requestIdOf(request), keys: keysOf(request.submissions) };
    refuseRepeatedKeys(call.keys, request.field);
    const result = await this.#batcher.add(call);
    return accepted(result, request);
  }

  /** Throws what `submit` would throw of it before anything is stored. */
  async check(namespace: string, submission: Submission): Promise<void> {
    await this.#build(namespace, submission, 'job');
  }

  async #build(namespace: string, submission: Submission, path: string): Promise<NewJob> {
    const { definitions, lanes, ids, clock } = this.#parts;
    const definition = await definitions.getForJob(
      namespace,
      submission.definition,
      submission.definitionVersion,
      `${path}.definition`,
    );
    const demands = submission.demands ? canonicalDemands(submission.demands) : undefined;
    const queue = submission.queue || definition.queue;
    const laneId = await lanes.idOf({
      namespace,
      queue,
      definition: definition.name,
      definitionVersion: definition.version,
      demands: demands ?? canonicalDemands(definition.demands),
      suspect: false,
    });
    const nowUs = clock.nowUs();
    const startUs = startOf(submission, nowUs);
    const priority = submission.priority ?? definition.priority;
    const times = timesOf(submission, definition, Math.max(startUs, nowUs));
    return {
      jobId: ids.next(),
      laneId,
      state: startUs > nowUs ? 'SCHEDULED' : 'READY',
      rank: rankOf(Math.max(startUs, nowUs), priority, times.expireTimeUs),
      priority,
      input: submission.input,
      ...optionalOf(submission, definition, demands, startUs > nowUs ? startUs : undefined),
      ...times,
    };
  }
}

function startOf(submission: Submission, nowUs: number): number {
  if (submission.delayMs !== undefined) return nowUs + submission.delayMs * 1000;
  return submission.runTimeUs ?? nowUs;
}

/** Every limit in time of the job. A wait in the queue that is too long is an expiry: the earlier of the two holds. */
function timesOf(submission: Submission, definition: JobDefinition, startUs: number) {
  const { timeLimits } = definition;
  const runTimeoutMs = submission.runTimeoutMs ?? definition.runTimeoutMs;
  const { expireTimeUs } = submission;
  if (!timeLimits) return { runTimeoutMs, expireTimeUs };
  const { queueUntilUs, deadlineUs } = limitsFrom(timeLimits, startUs);
  return {
    runTimeoutMs: Math.min(runTimeoutMs, timeLimits.totalTimeoutMs ?? runTimeoutMs),
    expireTimeUs: earliest(expireTimeUs, queueUntilUs) ?? undefined,
    deadlineUs,
    progressTimeoutMs: timeLimits.progressTimeoutMs,
    watchWindowMs: timeLimits.watchdog?.windowMs,
  };
}

function optionalOf(
  submission: Submission,
  definition: JobDefinition,
  demands: string | undefined,
  runTimeUs: number | undefined,
): Partial<NewJob> {
  return {
    labels: Object.keys(submission.labels).length > 0 ? submission.labels : undefined,
    demands: demands === canonicalDemands(definition.demands) ? undefined : demands,
    retryPolicy: submission.retryPolicy,
    idempotencyKey: submission.idempotencyKey || undefined,
    traceparent: submission.traceparent || undefined,
    tracestate: submission.tracestate || undefined,
    runTimeUs,
    retryOf: submission.retryOf,
  };
}

function requestIdOf(request: Submit): Pick<SubmitCall, 'requestId' | 'bodyHash'> {
  return request.requestId ? { requestId: request.requestId, bodyHash: request.bodyHash } : {};
}

function keysOf(submissions: readonly Submission[]): IdempotencyKey[] {
  return submissions.flatMap((submission, index) =>
    submission.idempotencyKey
      ? [
          {
            index,
            key: submission.idempotencyKey,
            contentHash: contentHash(submission),
            policy: submission.conflictPolicy,
          },
        ]
      : [],
  );
}

/** Of what the caller asked for: not of ids, times or trace context, which differ between two tries of the same. */
function contentHash(submission: Submission): Uint8Array {
  const { input, traceparent: _, tracestate: __, conflictPolicy: ___, labels, ...rest } = submission;
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify([rest, sorted, input.contentType, input.metadata ?? null]));
  return hash.update(input.data).digest();
}

function refuseRepeatedKeys(keys: readonly IdempotencyKey[], field: string): void {
  const seen = new Map<string, number>();
  for (const { key, index } of keys) {
    const first = seen.get(key);
    if (first !== undefined) {
      throw new EngineError(
        'INVALID_FIELD',
        `${field}[${index}].idempotency_key is the same as that of ${field}[${first}]`,
        { field: `${field}[${index}].idempotency_key` },
      );
    }
    seen.set(key, index);
  }
}

function accepted(result: SubmitResult, request: Submit): readonly SubmittedJob[] {
  switch (result.kind) {
    case 'stored':
      return result.jobs;
    case 'requestIdReused':
      throw new EngineError(
        'REQUEST_ID_REUSED',
        'request_id was used for a call with another body; make a new one for each call',
        { field: 'request_id', metadata: { request_id: request.requestId } },
      );
    case 'idempotencyConflict': {
      const path = request.field === 'job' ? 'job' : `jobs[${result.index}]`;
      const what = result.sameContent ? 'and the conflict policy is FAIL' : 'with other content';
      throw new EngineError(
        'IDEMPOTENCY_CONFLICT',
        `${path}.idempotency_key belongs to job ${result.jobId} already, ${what}`,
        {
          field: `${path}.idempotency_key`,
          metadata: { job_id: result.jobId },
        },
      );
    }
  }
}
