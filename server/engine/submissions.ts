/** Submits jobs: resolves what they are made from, gives them their ids and ranks, and stores them with other callers' jobs. */
import type { Demands, JobDefinition, RetryPolicy, StickyTo, StickyWorker } from '../domain/definition.ts';
import type { Payload } from '../domain/payload.ts';
import { canonicalDemands } from '../domain/placement.ts';
import { rankOf } from '../domain/rank.ts';
import { earliest, limitsFrom } from '../domain/time-limits.ts';
import type { Admission } from './admission.ts';
import { Batcher } from './batcher.ts';
import type { DbClock } from './db-clock.ts';
import type { Definitions } from './definitions.ts';
import { FirstJobs, type WantedLane } from './first-jobs.ts';
import { type InputCheck, refuseBadInputs } from './input-checks.ts';
import type { JobIds } from './job-ids.ts';
import { type JobKeys, JobKeysOf } from './job-keys.ts';
import type { Lanes } from './lanes.ts';
import type { Limits } from './limits.ts';
import type { Random, Schemas, Timers } from './ports.ts';
import { withWorkers } from './sticky.ts';
import type { IdempotencyKey, NewJob, Store, SubmitCall, SubmitResult, SubmittedJob } from './store-port.ts';
import { accepted } from './submission-answers.ts';
import { type SubmissionFlushParts, submissionFlush } from './submission-flush.ts';
import { keysOf } from './submission-keys.ts';
import { hasRules, isDebounced, type RuledSubmission, type RuleKey, ruleKeysOf } from './submission-rules.ts';

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
  readonly sticky?: StickyTo | undefined;
  /** The worker that follows from it. */
  readonly keepTo?: StickyWorker | undefined;
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
  /** Path of what is submitted in the request, for errors. */
  readonly field: 'job' | 'jobs' | 'job_id';
  /** It goes on however much waits: what it is for would be lost. */
  readonly ignoresBounds?: boolean;
}

export interface SubmissionsParts extends SubmissionFlushParts {
  readonly store: Pick<Store, 'together' | 'submit' | 'findSubmission' | 'findJobs' | 'readLastWorkers'>;
  readonly definitions: Definitions;
  readonly admission: Pick<Admission, 'admit'>;
  readonly lanes: Lanes;
  readonly ids: JobIds;
  readonly limits: Pick<Limits, 'asideOf' | 'heardKeys'>;
  readonly schemas: Schemas;
  readonly clock: DbClock;
  readonly timers: Timers;
  readonly random: Random;
  /** Cancels a job if it is there and open. */
  readonly cancel: (namespace: string, jobId: string, reason: string) => Promise<void>;
}

/** What the submissions of a call are made from, and what rules them. */
interface Looked {
  /** With the workers that they keep to. */
  readonly submissions: readonly Submission[];
  readonly definitions: readonly JobDefinition[];
  readonly rules: readonly RuleKey[] | undefined;
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
    const found = await this.#look(namespace, submissions, pathsOf(field)).catch((error) =>
      this.#answerBefore(request, error),
    );
    if ('kind' in found) return accepted(found, request);
    const { definitions } = found;
    const keys = keysOf(submissions, field);
    const store = () => this.#storeNew(request, found, keys);
    return accepted(await this.#parts.admission.admit(request, definitions, keys, store), request);
  }

  /** Stores jobs that have found room where they are to wait. */
  async #storeNew(
    request: Submit,
    { submissions, definitions, rules }: Looked,
    keys: readonly IdempotencyKey[],
  ): Promise<SubmitResult> {
    const { namespace } = request;
    const pathOf = pathsOf(request.field);
    const jobs: NewJob[] = [];
    const wanted = new Map<number, WantedLane>();
    const setAside = new Set<string>();
    const laneOf = this.#laneFinder(namespace);
    for (let i = 0; i < submissions.length; i++) {
      const [submission, definition] = [submissions[i] as Submission, definitions[i] as JobDefinition];
      const place = laneOf(submission, definition);
      const lane = place instanceof Promise ? await place : place;
      if (lane.laneId === undefined) wanted.set(i, lane);
      const job = this.#build(submission, definition, lane, this.#keys.of(submission, definition, pathOf(i)));
      const aside = job.limitId && job.state === 'READY' && this.#parts.limits.asideOf(job.laneId, job.limitId);
      if (aside && job.limitId) setAside.add(job.limitId);
      jobs.push(aside ? { ...job, laneId: aside, limitMark: job.limitMark ?? 'SET_ASIDE' } : job);
    }
    const call = { namespace, jobs, ...requestIdOf(request), keys, rules, limits: limitsOfJobs(jobs, definitions) };
    const add = (tried: SubmitCall) =>
      wanted.size > 0 ? this.#firstJobs.submit(tried, wanted) : this.#batcher.add(tried);
    const result = await this.#store(call, add);
    // Room that was given back meanwhile was given to those that waited by then.
    if (setAside.size > 0) this.#parts.limits.heardKeys([...setAside]);
    return result;
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
    let tried = call;
    let result = await add(tried);
    for (let look = 0; look < MOST_LOOKS && (result.kind === 'keysHeld' || result.kind === 'limitsHeld'); look++) {
      const nameOf = (index: number) => `job ${call.jobs[index]?.jobId}`;
      const whyOf =
        result.kind === 'keysHeld'
          ? (index: number) => `replaced by ${nameOf(index)}`
          : (index: number) => `makes way for ${nameOf(index)} at the limit of its key`;
      for (const { index, jobId } of result.held) await this.#parts.cancel(call.namespace, jobId, whyOf(index));
      if (result.kind === 'keysHeld') tried = { ...tried, keys: withReplaced(tried.keys, result.held) };
      result = await add(tried);
    }
    return result;
  }

  /** Throws what `submit` would throw of it before anything is stored; `path` is its place in the request. */
  async check(namespace: string, submission: Submission, path: string): Promise<void> {
    const { definitions } = await this.#look(namespace, [submission], () => path);
    this.#keys.of(submission, definitions[0] as JobDefinition, path);
  }

  /** What the submissions are made from and ruled by: what is refused has made no queue by then. */
  async #look(namespace: string, asked: readonly Submission[], pathOf: (index: number) => string): Promise<Looked> {
    const submissions = await withWorkers(this.#parts.store, namespace, asked, pathOf);
    const definitions = await this.#definitionsOf(namespace, submissions, pathOf);
    const ruled: RuledSubmission[] = [];
    for (const [index, definition] of definitions.entries()) {
      if (!hasRules(definition)) continue;
      const submission = submissions[index] as Submission;
      ruled.push({ index, namespace, submission, definition, path: pathOf(index) });
    }
    if (ruled.length === 0) return { submissions, definitions, rules: undefined };
    const { timers, clock } = this.#parts;
    const rules = await ruleKeysOf({ timers, startingAt }, ruled, clock.nowUs());
    return { submissions, definitions, rules: rules.length > 0 ? rules : undefined };
  }

  /** The definition of each, once all are there and take their inputs. */
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
      if (submission.queue || submission.demands || submission.keepTo) return find(submission, definition);
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
    const startUs = startOf(submission, definition, nowUs);
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
      limitMark: keys.limitId && isCounted(definition) ? 'COUNTED' : undefined,
      hasRetryBudget: definition.retryBudget ? true : undefined,
    };
  }
}

export function pathsOf(field: Submit['field']): (index: number) => string {
  return field === 'jobs' ? (index) => `jobs[${index}]` : () => field;
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

function demandsOf({ demands, keepTo }: Submission, definition: JobDefinition): Demands {
  const asked = demands ?? definition.demands;
  return keepTo ? { ...asked, sticky: keepTo } : asked;
}

function laneOf(namespace: string, submission: Submission, definition: JobDefinition): Omit<JobLane, 'laneId'> {
  const usual = canonicalDemands(definition.demands);
  const demands = canonicalDemands(demandsOf(submission, definition));
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

export function startOf(submission: Submission, definition: JobDefinition, nowUs: number): number {
  if (isDebounced(submission, definition)) return nowUs + (definition.debounce?.waitMs ?? 0) * 1000;
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

/** Whether its jobs do not simply wait at the limits of their keys. */
function isCounted({ keyLimit }: JobDefinition): boolean {
  return keyLimit !== undefined && keyLimit.policy !== 'WAIT';
}

/** Of the jobs that are not to wait at the limits of their keys. Undefined: there are none. */
function limitsOfJobs(jobs: readonly NewJob[], definitions: readonly JobDefinition[]): SubmitCall['limits'] {
  const limits = jobs.flatMap(({ limitId }, index) => {
    const definition = definitions[index] as JobDefinition;
    return limitId && isCounted(definition) ? [{ index, definition: definition.name, limitId }] : [];
  });
  return limits.length > 0 ? limits : undefined;
}

/** What of a job that waits for its start follows from when that is. */
function startingAt(submission: Submission, definition: JobDefinition, startUs: number): Partial<NewJob> {
  const times = timesOf(submission, definition, startUs);
  const rank = rankOf(startUs, submission.priority ?? definition.priority, times.expireTimeUs);
  return { ...times, rank, runTimeUs: startUs };
}

function withReplaced(
  keys: readonly IdempotencyKey[],
  held: readonly { readonly index: number; readonly jobId: string }[],
): IdempotencyKey[] {
  const replaced = new Map(held.map(({ index, jobId }) => [index, jobId]));
  return keys.map((key) => ({ ...key, replacedJobId: replaced.get(key.index) ?? key.replacedJobId }));
}

function requestIdOf(request: Submit): Pick<SubmitCall, 'requestId' | 'bodyHash'> {
  return request.requestId ? { requestId: request.requestId, bodyHash: request.bodyHash } : {};
}
