/** Runs workflows: takes ready ones, and advances those with entries in the job inbox. */

import { systemFailure } from '../../domain/base/payload.ts';
import { BATCH_DEFINITION } from '../../domain/batches/batch.ts';
import { MAX_INBOX_ROWS } from '../../domain/jobs/inbox.ts';
import type { Change } from '../../domain/jobs/run.ts';
import { decideFinish, decideStart, type WorkflowOutcome } from '../../domain/workflows/life.ts';
import { newRun, stopFor } from '../../domain/workflows/phases.ts';
import { factsOfChanges } from '../announcer.ts';
import { retryCollisions } from '../base/collisions.ts';
import { EngineError, isBadData, storeFault } from '../base/errors.ts';
import { killPoint } from '../base/kill-points.ts';
import { advanceBatch } from '../batches/advance.ts';
import { Callbacks } from '../batches/callbacks.ts';
import type { KnownLane } from '../dispatch/known-lane.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import { knowingLanes, requireLanes } from '../dispatch/unknown-lanes.ts';
import { ReadyPolls } from '../explain/ready-polls.ts';
import type { Cancels } from '../jobs/change/cancels.ts';
import type { Changes } from '../jobs/change/changes.ts';
import { announceStored, type SubmissionFlushParts, storeCalls } from '../jobs/submit/flush.ts';
import { Loop } from '../loop.ts';
import type { Expressions, Log, Random, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { NewJob, SubmitCall, SubmitResult } from '../ports/submissions.ts';
import type { CacheLookups, LockedWorkflow } from '../ports/workflows.ts';
import { Advance, type Advanced } from './advance.ts';
import type { AdvanceParts } from './advance-parts.ts';
import { bodyOf } from './bodies.ts';
import { ChildCancels } from './child-cancels.ts';
import { Results } from './results.ts';
import { ExpectedSteps, knownOf } from './steps/expected-steps.ts';
import { lockedWait, resolvedWait, type StepWait, UnlockedWait } from './steps/external-dependencies.ts';
import { FanOutLists } from './steps/fan-out-lists.ts';
import { StepJobs, type StepJobsParts } from './steps/jobs.ts';
import { limitsOfStarts } from './steps/start-budget.ts';
import { type AdvancedOne, writeAll } from './write-advanced.ts';

/** Max workflows per transaction. */
const MAX_TOGETHER = 20;
/** Max workflows taken by one transaction. */
const MAX_STARTED = 100;
const IN_FLIGHT = 2;
const ROUND_MS = 1_000;
/** An older entry was abandoned: a replica died, or a transaction failed. */
const LEFT_MS = 1_000;
const MAX_LEFT = 1_000;

export interface WorkflowsParts extends StepJobsParts, SubmissionFlushParts {
  readonly store: Store;
  readonly expressions: Expressions;
  readonly changes: Changes;
  readonly cancels: Cancels;
  readonly lanes: Lanes;
  /** Called with the number of cache lookups by steps. */
  readonly onCacheLookups: ((lookups: CacheLookups) => void) | undefined;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
}

/** The result of a transaction, announced after the commit. */
interface Done {
  readonly locked: readonly LockedWorkflow[];
  readonly advanced: readonly AdvancedOne[];
  readonly calls: readonly SubmitCall[];
  readonly results: readonly SubmitResult[];
  readonly permits: ReturnType<SubmissionFlushParts['dispatcher']['permitsFor']>['permits'];
  readonly ended: readonly Change[];
}

/** What a workflow is advanced with when it is the only one of its transaction. */
interface Alone {
  readonly wait?: StepWait | undefined;
  /** Why the database refused to store its advance: it ends FAILED. */
  readonly refusal?: unknown;
}

export class Workflows {
  readonly #parts: WorkflowsParts;
  readonly #stepJobs: StepJobs;
  readonly #results: Results;
  readonly #callbacks: Callbacks;
  readonly #childCancels: ChildCancels;
  readonly #expected = new ExpectedSteps();
  readonly #lists = new FanOutLists();
  readonly #ready: ReadyPolls;
  readonly #committed = new Set<string>();
  /** Workflows being advanced here; each is in at most one of this replica's transactions. */
  readonly #busy = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #loop: Loop;
  /** Where the next sweep of the inbox continues. */
  #nextRowId = 0;

  constructor(parts: WorkflowsParts) {
    this.#parts = parts;
    this.#stepJobs = new StepJobs(parts);
    this.#results = new Results(parts);
    this.#callbacks = new Callbacks(parts);
    this.#childCancels = new ChildCancels(parts);
    this.#ready = new ReadyPolls({
      ready: () => parts.lanes.workflowsReady(),
      most: MAX_STARTED,
      take: (laneIds) => this.#takeReady(laneIds),
      onFailure: (error) => this.#warn(error, 'ready workflows could not be taken'),
    });
    this.#loop = new Loop({ ...parts, name: 'the job inbox', everyMs: ROUND_MS, run: () => this.#sweep() });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await Promise.allSettled([this.#loop.stop(), this.#ready.stop(), ...this.#running, this.#childCancels.settled()]);
  }

  /** Lanes may have ready workflows. */
  poll(): void {
    this.#ready.poll();
  }

  /** These have new entries in the job inbox. */
  wake(jobIds: readonly string[]): void {
    if (this.#loop.isStopped) return;
    for (const jobId of jobIds) this.#committed.add(jobId);
    this.#pump();
  }

  #warn(error: unknown, what: string): void {
    this.#parts.log.warn({ error: String(error) }, `${what}; the next round tries again`);
  }

  /** Takes up job inbox entries that other replicas have abandoned, including those for dependents. */
  async #sweep(): Promise<void> {
    this.#ready.pollAgain();
    const { inbox } = this.#parts.store;
    const { workflows, cancels, dependencies, nextRowId } = await inbox.findAbandoned(
      LEFT_MS,
      MAX_LEFT,
      this.#nextRowId,
    );
    this.#nextRowId = nextRowId;
    this.#childCancels.finish(cancels);
    this.#parts.announcer.committed({ workflows, dependencies });
  }

  /** Resolves with the number taken. */
  async #takeReady(laneIds: readonly number[]): Promise<number> {
    const selection = { by: 'workflows', laneIds, limit: MAX_STARTED } as const;
    const started = await this.#parts.changes.apply(selection, decideStart);
    this.wake(started.map(({ run }) => run.jobId));
    return started.length;
  }

  #pump(): void {
    while (!this.#loop.isStopped && this.#running.size < IN_FLIGHT) {
      const jobIds = [...this.#committed].filter((jobId) => !this.#busy.has(jobId)).slice(0, MAX_TOGETHER);
      if (jobIds.length === 0) return;
      for (const jobId of jobIds) {
        this.#committed.delete(jobId);
        this.#busy.add(jobId);
      }
      const running = this.#advanceAll(jobIds)
        .catch((error) => this.#warn(error, 'workflows could not be advanced'))
        .finally(() => {
          this.#running.delete(running);
          for (const jobId of jobIds) this.#busy.delete(jobId);
          this.#pump();
        });
      this.#running.add(running);
    }
  }

  async #advanceAll(jobIds: readonly string[]): Promise<void> {
    try {
      await this.#advance(jobIds);
    } catch (error) {
      if (error instanceof UnlockedWait) await this.#advanceAlone(jobIds, error.wait);
      else if (storeFault(error) === 'data') await this.#isolate(jobIds, error);
      else throw error;
    }
  }

  /** A workflow with a step whose dependencies are not locked is advanced again without holding up the others. */
  async #advanceAlone(jobIds: readonly string[], wait: StepWait): Promise<void> {
    const { jobId } = wait;
    const others = jobIds.filter((other) => other !== jobId);
    await this.#advance([jobId], { wait }).catch((failure) => this.#warn(failure, 'a workflow could not be advanced'));
    if (others.length > 0) await this.#advanceAll(others);
  }

  /** What the database refuses to store is found by halves, and its workflow ends FAILED. */
  async #isolate(jobIds: readonly string[], error: unknown): Promise<void> {
    const half = jobIds.length >> 1;
    if (half > 0) for (const some of [jobIds.slice(0, half), jobIds.slice(half)]) await this.#advanceAll(some);
    else if (isBadData(error)) await this.#advance(jobIds, { refusal: error });
    else throw error;
  }

  async #advance(jobIds: readonly string[], { wait, refusal }: Alone = {}): Promise<void> {
    const done = await this.#commit(jobIds, { wait: wait && (await resolvedWait(this.#parts, wait)), refusal });
    killPoint('workflows.after_commit_before_publish');
    announceStored(this.#parts, done.calls, done.results, done.permits);
    this.#parts.announcer.committed(factsOfChanges(done.ended));
    this.#parts.announcer.committed({
      dependencies: done.locked.some(({ notifiesDependents }) => notifiesDependents),
      childPauses: done.advanced.some(({ inbox }) => inbox.some(({ kind }) => kind === 'PAUSE_CHILDREN')),
    });
    for (const one of done.advanced) if (!one.batch) this.#parts.onCacheLookups?.(one.lookups);
    for (const [i, workflow] of done.locked.entries()) {
      this.#continueLater(workflow, done.advanced[i] as AdvancedOne);
    }
    const taken = done.locked.flatMap(({ inbox }) => inbox.filter(({ kind }) => kind !== 'CANCEL_CHILDREN'));
    if (taken.length >= MAX_INBOX_ROWS) this.wake(jobIds);
  }

  #commit(jobIds: readonly string[], alone: Alone): Promise<Done> {
    return knowingLanes(() => retryCollisions(this.#parts, () => this.#inTransaction(jobIds, alone)));
  }

  #continueLater(workflow: LockedWorkflow, one: AdvancedOne): void {
    const { inbox, outcome, batch } = one;
    if (inbox.some(({ kind }) => kind === 'CONTINUE')) this.wake([workflow.jobId]);
    const { namespace, definitionBody } = this.#laneOf(workflow);
    if (outcome) {
      this.#expected.forget(workflow.jobId);
      this.#lists.forgetAll(workflow.jobId);
    } else if (!one.batch) this.#expected.note(workflow.jobId, bodyOf(definitionBody).graph, one.steps);
    // Clean-up steps of an ended workflow are over, so none is excluded.
    this.#childCancels.cancel(namespace, workflow, inbox, outcome || batch ? [] : bodyOf(definitionBody).cleanup);
  }

  #laneOf({ laneId }: LockedWorkflow): KnownLane {
    const lane = this.#parts.lanes.get(laneId);
    if (!lane) throw new Error(`lane ${laneId} is not loaded`);
    return lane;
  }

  async #inTransaction(jobIds: readonly string[], { wait: asked, refusal }: Alone): Promise<Done> {
    const { store, dispatcher, lanes } = this.#parts;
    let permits: Done['permits'] = new Map();
    try {
      return await store.together(async (inner) => {
        const wait = asked && (await lockedWait(inner.dependencies, lanes, asked));
        const expected = this.#expected.of(jobIds);
        const [all, rows] = await Promise.all([inner.workflows.lock(jobIds), inner.workflows.readSteps(expected)]);
        // Another transaction may have handled the entries that it was woken for.
        const locked = all.filter(({ inbox }) => inbox.length > 0);
        requireLanes(
          lanes,
          locked.map(({ laneId }) => laneId),
        );
        const startLimits = limitsOfStarts(locked.length, this.#parts.clock);
        const known = knownOf(expected, rows);
        const advanced = unlessUnlocked(
          await Promise.all(
            locked.map((workflow) =>
              this.#advanceOne(inner, workflow, { startLimits, known: known(workflow.jobId), wait, refusal }),
            ),
          ),
        );
        const calls = callsOf(
          advanced,
          locked.map((workflow) => this.#laneOf(workflow).namespace),
        );
        const found = dispatcher.permitsFor(calls.flatMap(({ jobs, isDependent }) => (isDependent ? [] : jobs)));
        permits = found.permits;
        const written = writeAll(inner, locked, advanced);
        const stored =
          calls.length > 0 ? storeCalls({ store: inner, dispatcher }, calls, found.permits, found.limited) : [];
        const [, results, ended] = await Promise.all([written, stored, this.#finish(inner, locked, advanced)]);
        requireStored(results);
        return { locked, advanced, calls, results, permits, ended };
      });
    } catch (error) {
      dispatcher.giveBack([...permits.values()]);
      throw error;
    }
  }

  /** A workflow whose advance throws ends FAILED, since it would throw again. */
  async #advanceOne(
    store: Store,
    workflow: LockedWorkflow,
    { refusal, ...more }: Pick<AdvanceParts, 'startLimits' | 'known' | 'wait'> & Alone,
  ): Promise<AdvancedOne | UnlockedWait> {
    const { namespace, definitionBody, definition } = this.#laneOf(workflow);
    const { expressions } = this.#parts;
    const parts = { store, stepJobs: this.#stepJobs, expressions, namespace, workflow, lists: this.#lists, ...more };
    try {
      if (definition === BATCH_DEFINITION)
        return await advanceBatch({ store, callbacks: this.#callbacks, namespace, workflow });
      if (refusal) return this.#break(workflow, refusal);
      const advanced = await new Advance({ ...parts, body: bodyOf(definitionBody) }).go();
      if (!advanced.outcome) return advanced;
      return { ...advanced, outcome: await this.#results.judge(store, this.#laneOf(workflow), advanced.outcome) };
    } catch (error) {
      if (error instanceof UnlockedWait) return error;
      if (error instanceof EngineError || storeFault(error) !== 'bug' || 'code' in (error as object)) throw error;
      return this.#break(workflow, error);
    }
  }

  #break(workflow: LockedWorkflow, error: unknown): Advanced {
    const facts = { error: String(error), job_id: workflow.jobId };
    this.#parts.log.warn(facts, 'a workflow could not be advanced and ends FAILED');
    return broken(workflow, error);
  }

  async #finish(store: Store, locked: readonly LockedWorkflow[], advanced: readonly AdvancedOne[]): Promise<Change[]> {
    const outcomes = new Map<string, Map<string, WorkflowOutcome>>();
    for (const [i, workflow] of locked.entries()) {
      const { outcome } = advanced[i] as AdvancedOne;
      if (!outcome) continue;
      const { namespace } = this.#laneOf(workflow);
      const ofNamespace = outcomes.get(namespace) ?? new Map();
      outcomes.set(namespace, ofNamespace.set(workflow.jobId, outcome));
    }
    const ended: Change[] = [];
    for (const [namespace, byJob] of outcomes)
      ended.push(
        ...(await store.change({ by: 'jobs', namespace, jobIds: [...byJob.keys()] }, (run) =>
          decideFinish(run, byJob.get(run.jobId) as WorkflowOutcome),
        )),
      );
    return ended;
  }
}

/** The workflow ends and its open jobs are cancelled, since its advance would throw again. */
function broken({ jobId, depth, run = newRun, notUndone }: LockedWorkflow, error: unknown): Advanced {
  const failure = systemFailure('INTERNAL', 'WorkflowBroken', `unexpected: ${(error as Error)?.message ?? error}`);
  return {
    run: { jobId, depth, run: stopFor(run, 'FAILED'), failure, notUndone },
    steps: [],
    compensations: [],
    inbox: [{ jobId, step: undefined, kind: 'CANCEL_CHILDREN' }],
    jobs: [],
    kept: [],
    lookups: { hits: 0, misses: 0 },
    outcome: { state: 'FAILED', failure },
  };
}

/** Throws only after all were tried: no cancel may start for a transaction that is rolled back. */
function unlessUnlocked(tried: readonly (AdvancedOne | UnlockedWait)[]): AdvancedOne[] {
  return tried.map((one) => {
    if (one instanceof UnlockedWait) throw one;
    return one;
  });
}

/** Dependencies existed when they were locked; if one was erased since, the transaction must be repeated. */
function requireStored(results: readonly SubmitResult[]): void {
  const refused = results.find(({ kind }) => kind !== 'stored');
  if (refused) throw new Error(`jobs of steps were not stored: ${refused.kind}`);
}

/** Per namespace, one call with the jobs that have dependencies and one with the others. */
function callsOf(advanced: readonly AdvancedOne[], namespaces: readonly string[]): SubmitCall[] {
  const calls: SubmitCall[] = [];
  const all = advanced.flatMap(({ jobs }, i) => jobs.map((job) => ({ job, namespace: namespaces[i] as string })));
  for (const [namespace, ofIt] of Map.groupBy(all, (one) => one.namespace)) {
    const jobs = ofIt.map(({ job }) => job);
    const [dependent, plain] = [jobs.filter(isDependent), jobs.filter((job) => !isDependent(job))];
    if (plain.length > 0) calls.push({ namespace, jobs: plain, keys: [] });
    if (dependent.length > 0) calls.push({ namespace, jobs: dependent, keys: [], isDependent: true });
  }
  return calls;
}

function isDependent({ dependencies }: NewJob): boolean {
  return dependencies !== undefined;
}
