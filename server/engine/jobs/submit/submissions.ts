/**
 * Submits jobs: resolves their definitions, gives them ids and ranks, and stores them together with other callers'
 * jobs.
 */
import type { JobDefinition } from '../../../domain/definitions/definition.ts';
import { type Sampling, spanContext, traceparentOf } from '../../../domain/events/trace.ts';
import type { IdempotencyKey } from '../../../domain/jobs/idempotency-key.ts';
import { Batcher } from '../../base/batcher.ts';
import type { DbClock } from '../../base/db-clock.ts';
import type { JobIds } from '../../base/job-ids.ts';
import type { Definitions, VersionOf } from '../../definitions/definitions.ts';
import { cycleOf } from '../../dependencies/cycle-search.ts';
import { isUnresolved, resolveDependencies } from '../../dependencies/resolve.ts';
import type { Lanes } from '../../dispatch/lanes.ts';
import type { Limits } from '../../dispatch/limits.ts';
import { knowingLanes } from '../../dispatch/unknown-lanes.ts';
import type { ParentAttempt } from '../../ports/dependencies.ts';
import { UnknownLane } from '../../ports/lanes.ts';
import type { Random, Schemas, Timers } from '../../ports/ports.ts';
import type { Store } from '../../ports/store.ts';
import type { NewJob, RuleKey, Submission, SubmitCall, SubmitResult, SubmittedJob } from '../../ports/submissions.ts';
import type { Admission } from './admission.ts';
import { accepted } from './answers.ts';
import { pathsOf, type Submit } from './call.ts';
import { FirstJobs, type WantedLane } from './first-jobs.ts';
import { type SubmissionFlushParts, submissionFlush } from './flush.ts';
import { type InputCheck, refuseBadInputs } from './input-checks.ts';
import { JobKeysOf } from './job-keys.ts';
import { keysOf } from './keys.ts';
import { isCounted, type JobLane, laneOf, newJob, startingAt } from './new-jobs.ts';
import { hasRules, type RuledSubmission, ruleKeysOf } from './rules.ts';
import { withWorkers } from './sticky.ts';

export interface SubmissionsParts extends SubmissionFlushParts {
  readonly store: Pick<
    Store,
    'together' | 'submit' | 'findSubmission' | 'findJobs' | 'readLastWorkers' | 'dependencies'
  >;
  readonly definitions: Definitions;
  readonly admission: Pick<Admission, 'admit'>;
  readonly lanes: Lanes;
  readonly ids: JobIds;
  readonly limits: Pick<Limits, 'deferredLaneOf' | 'onRemoteKeyRelease'>;
  readonly schemas: Schemas;
  readonly clock: DbClock;
  readonly timers: Timers;
  readonly random: Random;
  /** Undefined: nothing is traced. */
  readonly sampling?: Sampling | undefined;
  /** Cancels a job if it exists and is open. */
  readonly cancel: (namespace: string, jobId: string, reason: string) => Promise<void>;
}

/** The submissions of a call with their definitions and rules. */
interface ResolvedSubmissions {
  /** With the workers that they are sticky to. */
  readonly submissions: readonly Submission[];
  readonly definitions: readonly JobDefinition[];
  readonly rules: readonly RuleKey[] | undefined;
}

/** Max attempts for a key that other callers keep taking. */
const MAX_ATTEMPTS = 5;

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

  /** Resolves once the jobs are committed. Rejects with an EngineError; then none of them is stored. */
  async submit(request: Submit): Promise<readonly SubmittedJob[]> {
    const { namespace, submissions, field } = request;
    const found = await this.#resolve(namespace, submissions, pathsOf(field)).catch((error) =>
      this.#answerBefore(request, error),
    );
    if ('kind' in found) return accepted(found, request);
    const { definitions } = found;
    const keys = keysOf(submissions, field);
    const store = () => this.#storeNew(request, found, keys);
    return accepted(await this.#parts.admission.admit(request, definitions, keys, store), request);
  }

  /** Stores admitted jobs. */
  async #storeNew(
    request: Submit,
    { submissions, definitions, rules }: ResolvedSubmissions,
    keys: readonly IdempotencyKey[],
  ): Promise<SubmitResult> {
    const { namespace } = request;
    const pathOf = pathsOf(request.field);
    const jobs: NewJob[] = [];
    const wanted = new Map<number, WantedLane>();
    const deferredLimits = new Set<string>();
    const laneOf = this.#laneFinder(namespace);
    for (let i = 0; i < submissions.length; i++) {
      const [submission, definition] = [submissions[i] as Submission, definitions[i] as JobDefinition];
      const place = laneOf(submission, definition);
      const lane = place instanceof Promise ? await place : place;
      if (lane.laneId === undefined) wanted.set(i, lane);
      const keysOfJob = this.#keys.of(submission, definition, pathOf(i));
      const job = newJob(this.#parts, submission, definition, lane, keysOfJob);
      const deferredLane =
        job.limitId && job.state === 'READY' && this.#parts.limits.deferredLaneOf(job.laneId, job.limitId);
      if (deferredLane && job.limitId) deferredLimits.add(job.limitId);
      jobs.push(deferredLane ? { ...job, laneId: deferredLane, limitMark: job.limitMark ?? 'DEFERRED' } : job);
    }
    const { batchJobId, retryPage, parentAttempt } = request;
    const limited = limitsOfJobs(jobs, definitions);
    const waits = this.#waitsOf(request, submissions);
    const call = {
      namespace,
      jobs,
      ...requestIdOf(request),
      keys,
      rules,
      limits: limited,
      batchJobId,
      retryPage,
      ...waits,
      parentAttempt,
      traceUnder: parentAttempt && this.#traceUnder(parentAttempt),
      manual: request.manual?.((jobs[0] as NewJob).jobId),
    };
    const add = (tried: SubmitCall) =>
      knowingLanes(async () =>
        unlessUnknown(await (wanted.size > 0 ? this.#firstJobs.submit(tried, wanted) : this.#batcher.add(tried))),
      );
    const result = await this.#store(call, add);
    // Jobs stored as deferred here were not seen by a release before the commit: their keys are probed now.
    if (deferredLimits.size > 0) this.#parts.limits.onRemoteKeyRelease([...deferredLimits]);
    return result;
  }

  /** The trace context of an attempt's children, as its handler got it. */
  #traceUnder({ jobId, attempt }: ParentAttempt): SubmitCall['traceUnder'] {
    const { sampling } = this.#parts;
    if (!sampling) return (parent) => parent;
    return ({ traceparent, tracestate }) => {
      const context = spanContext({ jobId, traceparent }, attempt, 'attempt', sampling);
      return { traceparent: traceparentOf(context), tracestate };
    };
  }

  /** A new job can close a cycle only through a parent that waits for it. */
  #waitsOf(
    { namespace, batchJobId, parentAttempt, field }: Submit,
    submissions: readonly Submission[],
  ): Pick<SubmitCall, 'isDependent' | 'refuseCycles'> | undefined {
    const all = submissions.flatMap(({ dependencies }) => dependencies ?? []);
    if (all.length === 0) return undefined;
    const parentJobId = batchJobId ?? parentAttempt?.jobId;
    if (parentJobId === undefined) return { isDependent: true };
    const waiter = { namespace, jobId: undefined, parentJobId };
    const refuseCycles: SubmitCall['refuseCycles'] = async (store) => {
      await store.lockEdges(namespace);
      return cycleOf(store, this.#parts.lanes, waiter, all, field).catch(refuseUnknown);
    };
    return { isDependent: true, refuseCycles };
  }

  /**
   * The answer to a repeat of a call that would be refused now, since a definition was archived or changed meanwhile.
   */
  async #answerBefore(request: Submit, refusal: unknown): Promise<SubmitResult> {
    const before = request.requestId ? await this.#parts.store.findSubmission(request) : undefined;
    if (!before) throw refusal;
    return before;
  }

  /**
   * Cancels the jobs that hold keys to replace, or that fill a key limit, each in its own transaction, then takes the
   * keys from exactly these. If this stops in between, a job is cancelled and still has its key, so a repeat continues
   * from there.
   */
  async #store(call: SubmitCall, add: (call: SubmitCall) => Promise<SubmitResult>): Promise<SubmitResult> {
    let tried = call;
    let result = await add(tried);
    for (
      let resolve = 0;
      resolve < MAX_ATTEMPTS && (result.kind === 'keysHeld' || result.kind === 'limitsHeld');
      resolve++
    ) {
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

  /** Throws what `submit` would throw before it stores anything; `path` is the submission's path in the request. */
  async check(namespace: string, submission: Submission, path: string, isInputLater = false): Promise<void> {
    const { definitions } = await this.#resolve(namespace, [submission], () => path);
    if (!isInputLater) this.#keys.of(submission, definitions[0] as JobDefinition, path);
  }

  /** The submissions with their definitions and rules. Checked first, so that a refused call makes no queue. */
  async #resolve(
    namespace: string,
    asked: readonly Submission[],
    pathOf: (index: number) => string,
  ): Promise<ResolvedSubmissions> {
    const kept = await withWorkers(this.#parts.store, namespace, asked, pathOf);
    const submissions = await this.#withDependencies(namespace, kept, pathOf);
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

  async #withDependencies(
    namespace: string,
    submissions: readonly Submission[],
    pathOf: (index: number) => string,
  ): Promise<readonly Submission[]> {
    if (!submissions.some(({ dependencies }) => dependencies?.some(isUnresolved))) return submissions;
    const resolved: Submission[] = [];
    for (const [i, submission] of submissions.entries()) {
      const { dependencies } = submission;
      const found = dependencies && (await resolveDependencies(this.#parts, namespace, dependencies, pathOf(i)));
      resolved.push({ ...submission, dependencies: found });
    }
    return resolved;
  }

  /** The definition of each, after checking that all exist and accept their inputs. */
  async #definitionsOf(
    namespace: string,
    submissions: readonly Submission[],
    pathOf: (index: number) => string,
  ): Promise<JobDefinition[]> {
    const found: JobDefinition[] = [];
    const checks: InputCheck[] = [];
    // The jobs of a call mostly share a definition, which is looked up once.
    const known = new Map<string, VersionOf>();
    for (let i = 0; i < submissions.length; i++) {
      const { definition: name, definitionVersion, input, labels } = submissions[i] as Submission;
      const key = definitionVersion === 0 ? name : `${name}/${definitionVersion}`;
      const versionOf =
        known.get(key) ??
        (await this.#parts.definitions.forJobs(namespace, name, definitionVersion, `${pathOf(i)}.definition`));
      known.set(key, versionOf);
      const definition = versionOf(labels);
      found.push(definition);
      if (definition.inputSchema)
        checks.push({ schema: definition.inputSchema, payload: input, field: `${pathOf(i)}.input` });
    }
    if (checks.length > 0) await refuseBadInputs(this.#parts.schemas, checks);
    return found;
  }

  /** Finds the lanes of a call's jobs: one lookup for all without a queue, demands or a worker of their own. */
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
}

/** The key limits of jobs that do not simply wait at them. Undefined: there are none. */
function limitsOfJobs(jobs: readonly NewJob[], definitions: readonly JobDefinition[]): SubmitCall['limits'] {
  const limits = jobs.flatMap(({ limitId }, index) => {
    const definition = definitions[index] as JobDefinition;
    return limitId && isCounted(definition) ? [{ index, definition: definition.name, limitId }] : [];
  });
  return limits.length > 0 ? limits : undefined;
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

/** Turned into a refusal, so that calls stored together with this one do not fail with it. */
function refuseUnknown(error: unknown): UnknownLane {
  if (error instanceof UnknownLane) return error;
  throw error;
}

function unlessUnknown(result: SubmitResult): SubmitResult {
  if (result.kind === 'dependencyRefused' && result.error instanceof UnknownLane) throw result.error;
  return result;
}
