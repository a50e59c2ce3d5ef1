/** Explains a job: why it has not started, its queue position, an estimate; who runs it; how it ended. Reads only. */

import { headroomOf } from '../../domain/dispatch/limits.ts';
import { takesResources } from '../../domain/dispatch/placement.ts';
import { startOf } from '../../domain/dispatch/rank.ts';
import { type Blocker, type Constraint, noBlockers } from '../../domain/explain/constraint.ts';
import { dependencyConstraints } from '../../domain/explain/dependency-constraints.ts';
import {
  type Facts,
  type LinePosition,
  type StartEstimate,
  startEstimateOf,
  summaryOf,
} from '../../domain/explain/explanation.ts';
import { jobConstraints, type Limit } from '../../domain/explain/job-constraints.ts';
import type { RecentStarts } from '../../domain/explain/start-estimate.ts';
import {
  type CapacityInUse,
  fitting,
  type Line,
  type OpenSession,
  type Work,
  workerConstraints,
} from '../../domain/explain/worker-constraints.ts';
import { isSuspended } from '../../domain/jobs/decide.ts';
import { isTerminal } from '../../domain/jobs/job-state.ts';
import { awaitedText } from '../../domain/signals/wait.ts';
import { EngineError } from '../base/errors.ts';
import { type ExplainedStore, explainedDependencies } from '../dependencies/explained.ts';
import type { KnownLane } from '../dispatch/known-lane.ts';
import { handlerOf, type Lanes } from '../dispatch/lanes.ts';
import type { Limits } from '../dispatch/limits.ts';
import { Preferences } from '../dispatch/preferences.ts';
import type { UnspentCredits } from '../dispatch/unspent-credits.ts';
import type { ExplainedRun, LimitOfJob, LimitQuery, LineQuery } from '../ports/explanations.ts';
import type { JobView } from '../ports/jobs.ts';
import type { Clock, Random, Timers } from '../ports/ports.ts';
import type { SignalWaitStore } from '../ports/signals.ts';
import type { Store } from '../ports/store.ts';
import type { OpenSessions } from '../sessions/open-sessions.ts';
import { bodyOf } from '../workflows/bodies.ts';
import { progressOf } from '../workflows/progress.ts';
import { laneOf, ReadyReasons } from './ready-reasons.ts';

/** Max steps of a workflow that are named. */
const MAX_STEPS = 5;
/** Max jobs counted ahead of one. */
const MAX_BEFORE = 1_000;
/** Max lanes of a queue read for that. */
const MAX_LANES = 1_000;
/** Max able sessions whose held resources are read: a job that waits for more of them than that waits for any. */
const MAX_ABLE = 200;
const MAX_ATTEMPTS = 5;

export interface Explanation extends Facts {
  readonly view: JobView;
  readonly summary: string;
}

export interface ExplanationsParts {
  readonly store: Store['explain'];
  readonly waits: Pick<SignalWaitStore, 'read'>;
  readonly dependencies: ExplainedStore;
  /** Throws JOB_NOT_FOUND. */
  readonly getJob: (namespace: string, jobId: string) => Promise<JobView>;
  readonly lanes: Pick<Lanes, 'load' | 'get' | 'suits'>;
  readonly limits: Pick<Limits, 'laneOf'>;
  readonly sessions: OpenSessions;
  readonly credits: Pick<UnspentCredits, 'classes' | 'barOf'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

interface Waiting {
  readonly constraints: readonly Constraint[];
  readonly place: LinePosition | undefined;
  readonly estimate: StartEstimate | undefined;
}

export class Explanations {
  readonly #parts: ExplanationsParts;
  readonly #preferences: Preferences;
  readonly #readyReasons: ReadyReasons;

  constructor(parts: ExplanationsParts) {
    this.#parts = parts;
    this.#preferences = new Preferences(parts);
    this.#readyReasons = new ReadyReasons({ ...parts, preferences: this.#preferences });
  }

  /** The job with its first wait reason, also if that takes reads beyond its record. Throws JOB_NOT_FOUND. */
  async getJob(namespace: string, jobId: string): Promise<JobView> {
    return this.#readyReasons.withReason(await this.#parts.getJob(namespace, jobId));
  }

  /** Throws JOB_NOT_FOUND, and CONFLICT if the job changes state during every attempt to read it. */
  async explain(namespace: string, jobId: string): Promise<Explanation> {
    const { getJob, store } = this.#parts;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const view = await getJob(namespace, jobId);
      if (isTerminal(view.state)) return this.#explain(view, undefined);
      const run = await store.readRun(jobId);
      // The record and the run are two reads; they must show the same state.
      if (run?.state === view.state) return this.#explain(view, run);
    }
    throw new EngineError('CONFLICT', `job ${jobId} changes faster than it can be explained; try again`);
  }

  async #explain(view: JobView, run: ExplainedRun | undefined): Promise<Explanation> {
    const waiting = run && isWaiting(run) ? await this.#waiting(view, run) : undefined;
    const facts: Facts = {
      job: { ...view, sinceUs: sinceOf(view, run), workerName: view.attempts.at(-1)?.workerName ?? '' },
      constraints: waiting?.constraints ?? [],
      place: waiting?.place,
      estimate: waiting?.estimate,
      running: runningOf(view, run),
      workflow: await this.#workflow(view, run),
      awaited: run && (await this.#awaited(view, run)),
    };
    return { ...facts, view, summary: summaryOf(facts) };
  }

  async #workflow({ jobId, attempt }: JobView, run: ExplainedRun | undefined): Promise<Facts['workflow']> {
    if (attempt > 0) return undefined;
    if (!run) return this.#endedWorkflow(jobId);
    const { definitionBody } = await laneOf(this.#parts.lanes, run.laneId);
    if (!definitionBody.workflow && !definitionBody.wait) return undefined;
    if (isWaiting(run)) return { isStarted: false, progress: undefined };
    if (!definitionBody.workflow) return undefined;
    const found = await this.#parts.store.readWorkflow(jobId, MAX_STEPS);
    return { isStarted: true, progress: found && progressOf(bodyOf(definitionBody).graph, found) };
  }

  /** The awaited signal or approval of a started wait; undefined: it is no wait, or has not started. */
  async #awaited({ jobId }: JobView, run: ExplainedRun): Promise<string | undefined> {
    if (run.state !== 'WAITING') return undefined;
    const { wait } = (await laneOf(this.#parts.lanes, run.laneId)).definitionBody;
    if (!wait) return undefined;
    const event = wait.kind === 'SIGNAL' ? (await this.#parts.waits.read([jobId])).get(jobId) : undefined;
    return awaitedText(wait, event?.key);
  }

  async #endedWorkflow(jobId: string): Promise<Facts['workflow']> {
    const found = await this.#parts.store.readWorkflow(jobId, 0);
    return found && { isStarted: true, progress: undefined };
  }

  async #waiting(view: JobView, run: ExplainedRun): Promise<Waiting> {
    const { store, sessions } = this.#parts;
    const lane = await laneOf(this.#parts.lanes, run.laneId);
    const mayDepend = run.state === 'BLOCKED' || run.state === 'PAUSED' || run.state === 'WAITING';
    const before = mayDepend ? await this.#dependenciesOf(view) : [];
    if (before.length > 0 || lane.definitionBody.workflow || lane.definitionBody.wait)
      return this.#waitingForNoWorker(view, run, before);
    const work = { lane, handler: handlerOf(lane) };
    const open = this.#preferences.withBars(await sessions.read(view.namespace), lane, run.nowUs);
    const isReady = run.state === 'READY';
    const limits = isReady ? await this.#limitsOf(lane, run) : [];
    const { line, recent } = isReady ? await this.#line(view, run, work, open) : { line: undefined, recent: undefined };
    const able = fitting(open, work).map(({ sessionId }) => sessionId);
    const suspects = isReady && run.suspect ? await store.readSuspects(able, view.jobId) : undefined;
    const inUse = isReady ? await this.#headroomOf(lane, run.laneId, able) : undefined;
    const preference = this.#preferences.of(lane, run.nowUs);
    const constraints = [
      ...jobConstraints({ ...run, job: { ...run, jobId: view.jobId }, limits }),
      ...workerConstraints({ work, sessions: open, suspects, line, inUse, preference }),
    ];
    const place = line && { place: line.before + 1, isLeast: line.isLeast };
    return { constraints, place, estimate: startEstimateOf(constraints, place, recent, run.nowUs) };
  }

  async #dependenciesOf({ namespace, jobId }: JobView): Promise<Constraint[]> {
    return dependencyConstraints(await explainedDependencies(this.#parts.dependencies, namespace, jobId));
  }

  /** For jobs that wait without a worker: workflows, waits, and jobs with dependencies. */
  #waitingForNoWorker(view: JobView, run: ExplainedRun, before: readonly Constraint[]): Waiting {
    const constraints = [...before, ...jobConstraints({ ...run, job: { ...run, jobId: view.jobId }, limits: [] })];
    return { constraints, place: undefined, estimate: undefined };
  }

  async #headroomOf(lane: KnownLane, laneId: number, able: readonly string[]): Promise<CapacityInUse | undefined> {
    if (!takesResources(lane) || able.length > MAX_ABLE) return undefined;
    return this.#parts.store.readCapacityInUse(laneId, able);
  }

  async #limitsOf(lane: KnownLane, run: ExplainedRun): Promise<Limit[]> {
    if (lane.cleanup) return [];
    const query = { ...this.#parts.limits.laneOf(lane), limitId: run.limitId };
    const { limits } = await this.#parts.store.readLimits(query);
    return Promise.all(limits.map((limit) => this.#withHolders(query, limit, run)));
  }

  async #withHolders(query: LimitQuery, limit: LimitOfJob, { nowUs, atLimit }: ExplainedRun): Promise<Limit> {
    const { jobs, openTimeUs } = headroomOf(limit.capacity, limit.cost, nowUs);
    const isDeferred = limit.reason === 'KEY_LIMIT' && atLimit;
    if (jobs > 0 || openTimeUs !== undefined) return { ...limit, blockers: noBlockers, isDeferred };
    const list = await this.#parts.store.readLimitBlockers(query, limit.reason);
    return { ...limit, blockers: { list, count: limit.capacity.held }, isDeferred };
  }

  /** A ready job's queue position, among the jobs of its queue that compete with it for workers. */
  async #line(
    { namespace, queue, jobId }: JobView,
    run: ExplainedRun,
    work: Work,
    sessions: readonly OpenSession[],
  ): Promise<{ line: Line | undefined; recent: RecentStarts }> {
    const { store, lanes } = this.#parts;
    const found = await store.readQueueLanes({ namespace, name: queue }, run.laneId, MAX_LANES);
    const candidates = found.lanes.filter((one) => competes(one, run));
    await lanes.load(candidates.flatMap(({ laneId }) => (lanes.get(laneId) ? [] : laneId)));
    const able = fitting(sessions, work);
    const rivals = candidates.filter(({ laneId }) => {
      const lane = lanes.get(laneId);
      return lane !== undefined && isRival(lane, work, able);
    });
    const query = { jobId, laneIds: rivals.map(({ laneId }) => laneId), ofKey: run.atLimit };
    const starts = rivals.reduce((sum, rival) => sum + rival.starts, 0);
    return { line: await this.#lineOf(query, found.isCut), recent: { starts, windowUs: found.windowUs } };
  }

  async #lineOf(query: LineQuery, isCut: boolean): Promise<Line | undefined> {
    const { store } = this.#parts;
    const before = await store.countBefore(query, MAX_BEFORE);
    if (before === undefined) return undefined;
    const first: readonly Blocker[] = before > 0 ? await store.readFirst(query) : [];
    return { before, isLeast: isCut || before >= MAX_BEFORE, first };
  }
}

/**
 * Whether jobs of a lane may be assigned before the job. Suspects and other jobs do not compete, and a job does not
 * wait behind jobs that a gate of their own holds back. Jobs deferred at a key's limit compete only with jobs of the
 * same key, which are counted separately.
 */
function competes(lane: { suspect: boolean; atLimit: boolean; gates: number }, run: ExplainedRun): boolean {
  const isGatedMore = (lane.gates & ~run.gates) !== 0;
  return lane.suspect === run.suspect && !isGatedMore && !lane.atLimit;
}

/**
 * Whether some session that can run the work can run the lane's jobs, too. Without such a session: the same definition.
 */
function isRival(lane: KnownLane, work: Work, able: readonly OpenSession[]): boolean {
  if (able.length === 0) return lane.definition === work.lane.definition;
  return fitting(able, { lane, handler: handlerOf(lane) }).length > 0;
}

function isWaiting({ state, attempt }: ExplainedRun): boolean {
  return (
    isSuspended({ state, attempt }) ||
    state === 'BLOCKED' ||
    state === 'SCHEDULED' ||
    state === 'READY' ||
    state === 'PAUSED'
  );
}

/** Since when it is in its state, as far as recorded. */
function sinceOf(view: JobView, run: ExplainedRun | undefined): number | undefined {
  if (!run) return view.endTimeUs;
  const backUs = run.closeTimeUs ?? view.createTimeUs;
  switch (run.state) {
    case 'READY':
      return Math.max(backUs, Math.min(run.nowUs, startOf(run.rank, view.priority)));
    case 'SCHEDULED':
    case 'BLOCKED':
    case 'WAITING':
      return backUs;
    case 'PAUSED':
      return run.pauseTimeUs;
    case 'CANCELLING':
      return run.cancelTimeUs;
    default:
      return run.assignTimeUs;
  }
}

function runningOf(view: JobView, run: ExplainedRun | undefined): Facts['running'] {
  if (!run || isWaiting(run) || view.sessionId === undefined) return undefined;
  const { attempt, sessionId, progress } = view;
  const workerName = view.attempts.at(-1)?.workerName ?? '';
  return { attempt, sessionId, workerName, assignTimeUs: run.assignTimeUs ?? 0, beatTimeUs: run.beatTimeUs, progress };
}
