/** Submits jobs: resolves what they are made from, gives them their ids and ranks, and stores them with other callers' jobs. */
import type { Demands, JobDefinition, RetryPolicy } from '../domain/definition.ts';
import type { Payload } from '../domain/payload.ts';
import { canonicalDemands } from '../domain/placement.ts';
import { rankOf } from '../domain/rank.ts';
import { earliest, limitsFrom } from '../domain/time-limits.ts';
import { Batcher } from './batcher.ts';
import type { DbClock } from './db-clock.ts';
import type { Definitions } from './definitions.ts';
import { EngineError } from './errors.ts';
import { FirstJobs, type WantedLane } from './first-jobs.ts';
import { type InputCheck, refuseBadInputs } from './input-checks.ts';
import type { JobIds } from './job-ids.ts';
import { type JobKeys, JobKeysOf } from './job-keys.ts';
import type { Lanes } from './lanes.ts';
import type { Random, Schemas, Timers } from './ports.ts';
import type { IdempotencyKey, NewJob, Store, SubmitCall, SubmitResult, SubmittedJob } from './store-port.ts';
import { type SubmissionFlushParts, submissionFlush } from './submission-flush.ts';
import { keysOf } from './submission-keys.ts';

/** What a client asks to be run; checked, spans in ms, times in µs since 1970. */
export interface Submission {
  readonly definition: string;
  /** 0: the newest. */
  readonly definitionVersion: number;
  readonly input: Payload;
  /** Empty: none. */
  readonly idempotencyKey: string;
  readonly conflictPolicy: IdempotencyKey['policy'];
  readonly labels: Readonly<Record<string, string>>;
  readonly priority?: number | undefined;
  readonly runTimeUs?: number | undefined;
  readonly delayMs?: number | undefined;
  readonly expireTimeUs?: number | undefined;
  /** Empty: the definition's. */
  readonly queue: string;
  /** Undefined: the definition's, if it has one. */
  readonly fairnessKey?: string | undefined;
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
  readonly store: Pick<Store, 'together' | 'submit' | 'findSubmission' | 'findJobs'>;
  readonly definitions: Definitions;
  readonly lanes: Lanes;
  readonly ids: JobIds;
  readonly schemas: Schemas;
  readonly clock: DbClock;
  readonly timers: Timers;
  readonly random: Random;
  /** Cancels a job if it is there and open. */
  readonly cancel: (namespace: string, jobId: string, reason: string) => Promise<void>;
}

/** How often a key is looked at again that another caller has taken meanwhile. */
const MOST_LOOKS = 5;

export class Submissions {
  readonly #parts: SubmissionsParts;
  readonly #batcher: Batcher<SubmitCall, SubmitResult>;
  readonly #firstJobs: FirstJobs;
  readonly #keys = new JobKeysOf();

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
    this.#firstJobs = new FirstJobs({ ...parts, add: (call) => this.#batcher.add(call) });
  }

  /** Resolves once the jobs are committed. Rejects with an EngineError, and then none of them is stored. */
  async submit(request: Submit): Promise<readonly SubmittedJob[]> {
    const { namespace, submissions, field } = request;
    const pathOf = pathsOf(field);
    const definitions = await this.#definitionsOf(namespace, submissions, pathOf).catch((error) =>
      this.#answerBefore(request, error),
    );
    if ('kind' in definitions) return accepted(definitions, request);
    const keys = keysOf(submissions, field);
    const jobs: NewJob[] = [];
    const wanted = new Map<number, WantedLane>();
    const laneOf = this.#laneFinder(namespace);
    for (let i = 0; i < submissions.length; i++) {
      const [submission, definition] = [submissions[i] as Submission, definitions[i] as JobDefinition];
      const found = laneOf(submission, definition);
      const lane = found instanceof Promise ? await found : found;
      if (lane.laneId === undefined) wanted.set(i, lane);
      jobs.push(this.#build(submission, definition, lane, this.#keys.of(submission, definition, pathOf(i))));
    }
    const call = { namespace, jobs, ...requestIdOf(request), keys, limits: limitsOfJobs(jobs, definitions) };
    const add = (tried: SubmitCall) =>
      wanted.size > 0 ? this.#firstJobs.submit(tried, wanted) : this.#batcher.add(tried);
    return accepted(await this.#store(call, add), request);
  }

  /** The answer to a repeat of a call, of which a definition has been archived, or got another schema, since. */
  async #answerBefore(request: Submit, refusal: unknown): Promise<SubmitResult> {
    const before = request.requestId ? await this.#parts.store.findSubmission(request) : undefined;
    if (!before) throw refusal;
    return before;
  }

  /**
   * Cancels the jobs that hold keys to be replaced, or places at a limit, each in a transaction of its own, then takes the
   * keys from just these. Whatever breaks off in between leaves a job cancelled and its key in place, so that a repeat goes
   * on from there.
   */
  async #store(call: SubmitCall, add: (call: SubmitCall) => Promise<SubmitResult>): Promise<SubmitResult> {
    let result = await add(call);
    for (let look = 0; look < MOST_LOOKS; look++) {
      if (result.kind === 'limitsHeld') {
        for (const { index, jobId } of result.held)
          await this.#parts.cancel(
            call.namespace,
            jobId,
            `makes way for job ${call.jobs[index]?.jobId} at the limit of its key`,
          );
        result = await add(call);
      }
      if (result.kind !== 'keysHeld') continue;
      const replaced = new Map(result.held.map(({ index, jobId }) => [index, jobId]));
      for (const [index, jobId] of replaced)
        await this.#parts.cancel(call.namespace, jobId, `replaced by job ${call.jobs[index]?.jobId}`);
      const keys = call.keys.map((key) => ({ ...key, replacedJobId: replaced.get(key.index) ?? key.replacedJobId }));
      result = await add({ ...call, keys });
    }
    return result;
  }

  /** Throws what `submit` would throw of it before anything is stored; `path` is its place in the request. */
  async check(namespace: string, submission: Submission, path: string): Promise<void> {
    const [definition] = await this.#definitionsOf(namespace, [submission], () => path);
    this.#keys.of(submission, definition as JobDefinition, path);
  }

  /** The definition of each, once all are there and take their inputs: what is refused has made no queue by then. */
  async #definitionsOf(
    namespace: string,
    submissions: readonly Submission[],
    pathOf: (index: number) => string,
  ): Promise<JobDefinition[]> {
    const found: JobDefinition[] = [];
    const checks: InputCheck[] = [];
    // The jobs of a call are mostly of one definition: it is looked up for the first of them.
    const known = new Map<string, JobDefinition>();
    for (let i = 0; i < submissions.length; i++) {
      const { definition: name, definitionVersion, input } = submissions[i] as Submission;
      const key = definitionVersion === 0 ? name : `${name}/${definitionVersion}`;
      const definition =
        known.get(key) ??
        (await this.#parts.definitions.getForJob(namespace, name, definitionVersion, `${pathOf(i)}.definition`));
      known.set(key, definition);
      found.push(definition);
      if (definition.inputSchema)
        checks.push({ schema: definition.inputSchema, payload: input, field: `${pathOf(i)}.input` });
    }
    if (checks.length > 0) await refuseBadInputs(this.#parts.schemas, checks);
    return found;
  }

  /** Finds the lanes of a call's jobs: one look for all those that say nothing themselves of where they run. */
  #laneFinder(namespace: string): (submission: Submission, definition: JobDefinition) => JobLane | Promise<JobLane> {
    const usual = new Map<JobDefinition, JobLane>();
    const find = async (submission: Submission, definition: JobDefinition): Promise<JobLane> => {
      const lane = laneOf(namespace, submission, definition);
      return { ...lane, laneId: await this.#parts.lanes.find(lane.key, lane.breaker) };
    };
    return (submission, definition) => {
      if (submission.queue || submission.demands) return find(submission, definition);
      const known = usual.get(definition);
      if (known) return known;
      return find(submission, definition).then((lane) => {
        usual.set(definition, lane);
        return lane;
      });
    };
  }

  #build(submission: Submission, definition: JobDefinition, { laneId = 0, demands }: JobLane, keys: JobKeys): NewJob {
    const { ids, clock } = this.#parts;
    const nowUs = clock.nowUs();
    const startUs = startOf(submission, nowUs);
    const isLater = startUs > nowUs;
    const priority = submission.priority ?? definition.priority;
    const times = timesOf(submission, definition, isLater ? startUs : nowUs);
    // Of one shape, written out: there are tens of thousands a second.
    return {
      jobId: ids.next(),
      laneId,
      state: isLater ? 'SCHEDULED' : 'READY',
      rank: rankOf(isLater ? startUs : nowUs, priority, times.expireTimeUs),
      priority,
      labels: hasEntries(submission.labels) ? submission.labels : undefined,
      input: submission.input,
      demands,
      retryPolicy: submission.retryPolicy,
      runTimeoutMs: times.runTimeoutMs,
      idempotencyKey: submission.idempotencyKey || undefined,
      traceparent: submission.traceparent || undefined,
      tracestate: submission.tracestate || undefined,
      runTimeUs: isLater ? startUs : undefined,
      expireTimeUs: times.expireTimeUs,
      retryOf: submission.retryOf,
      deadlineUs: times.deadlineUs,
      progressTimeoutMs: times.progressTimeoutMs,
      watchWindowMs: times.watchWindowMs,
      checkResult: definition.outputSchema ? true : undefined,
      fairnessKey: keys.fairnessKey,
      limitKey: keys.limitKey,
      limitId: keys.limitId,
      hasRetryBudget: definition.retryBudget ? true : undefined,
    };
  }
}

function pathsOf(field: Submit['field']): (index: number) => string {
  return field === 'job' ? () => 'job' : (index) => `jobs[${index}]`;
}

function hasEntries(map: Readonly<Record<string, string>>): boolean {
  for (const _ in map) return true;
  return false;
}

/** Where a job belongs. */
interface JobLane extends WantedLane {
  /** Undefined: the lane is not there yet. */
  readonly laneId: number | undefined;
  /** Of the submission, where they override the definition's. */
  readonly demands: string | undefined;
}

function laneOf(namespace: string, submission: Submission, definition: JobDefinition): Omit<JobLane, 'laneId'> {
  const usual = canonicalDemands(definition.demands);
  const demands = submission.demands ? canonicalDemands(submission.demands) : usual;
  const key = {
    namespace,
    queue: submission.queue || definition.queue,
    definition: definition.name,
    definitionVersion: definition.version,
    demands,
    suspect: false,
  };
  return { key, breaker: definition.circuitBreaker?.name, demands: demands === usual ? undefined : demands };
}

function startOf(submission: Submission, nowUs: number): number {
  if (submission.delayMs !== undefined) return nowUs + submission.delayMs * 1000;
  return submission.runTimeUs ?? nowUs;
}

type Times = Pick<NewJob, 'runTimeoutMs' | 'expireTimeUs' | 'deadlineUs' | 'progressTimeoutMs' | 'watchWindowMs'>;

/** Every limit in time of the job. A wait in the queue that is too long is an expiry: the earlier of the two holds. */
function timesOf(submission: Submission, definition: JobDefinition, startUs: number): Times {
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

/** Of the jobs that are not to wait at the limits of their keys. Undefined: there are none. */
function limitsOfJobs(jobs: readonly NewJob[], definitions: readonly JobDefinition[]): SubmitCall['limits'] {
  const limits = jobs.flatMap(({ limitId }, index) => {
    const { name, keyLimit } = definitions[index] as JobDefinition;
    return limitId && keyLimit && keyLimit.policy !== 'WAIT' ? [{ index, definition: name, limitId }] : [];
  });
  return limits.length > 0 ? limits : undefined;
}

function requestIdOf(request: Submit): Pick<SubmitCall, 'requestId' | 'bodyHash'> {
  return request.requestId ? { requestId: request.requestId, bodyHash: request.bodyHash } : {};
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
    case 'keysHeld':
    case 'limitsHeld':
      throw new EngineError('CONFLICT', 'other callers kept taking the same keys; try again', { retryAfterMs: 50 });
    case 'limitReached': {
      const path = pathsOf(request.field)(result.index);
      const { maxConcurrency, openJobIds } = result;
      const [first] = openJobIds;
      const open = first
        ? `has ${openJobIds.length}, such as ${first}; try again when one has ended`
        : 'this call has more: submit fewer at once';
      throw new EngineError(
        'LIMIT_REACHED',
        `${path} would be one job too many: its key may have ${maxConcurrency} open, and ${open}`,
        {
          field: path,
          metadata: { max_concurrency: String(maxConcurrency), open_job_ids: openJobIds.slice(0, 10).join(',') },
        },
      );
    }
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
