/** Advances one workflow: applies its inbox and makes the jobs that start, in the transaction that holds its lock. */

import { type Failure, systemFailure } from '../../domain/base/payload.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import { compensatedStep } from '../../domain/workflows/compensation.ts';
import type { WorkflowOutcome } from '../../domain/workflows/life.ts';
import {
  afterCompensation,
  afterEnds,
  afterSkips,
  afterStarts,
  decidePhase,
  enterPhase,
  hasFailed,
  isStopping,
  newRun,
  roleOf,
  stopFor,
  type WorkflowRun,
} from '../../domain/workflows/phases.ts';
import type { EndedStep, EndedStepState } from '../../domain/workflows/step-state.ts';
import { noneEnded } from '../../domain/workflows/trigger-rules.ts';
import { successorsOf, wave } from '../../domain/workflows/wave.ts';
import { MAX_DEPTH } from '../../domain/workflows/workflow.ts';
import type { InboxRow, NewInboxRow } from '../ports/inbox.ts';
import type { NewJob } from '../ports/submissions.ts';
import type { CacheLookups, KeptResult, WrittenCompensation, WrittenRun, WrittenStep } from '../ports/workflows.ts';
import { adoptedSteps } from './adoption.ts';
import type { AdvanceParts } from './advance-parts.ts';
import { Compensations } from './compensations.ts';
import { outcomeOf } from './outcome.ts';
import { CachedSteps } from './steps/cached-steps.ts';
import { childFailure, endedItems, passEnded, whyFailed } from './steps/ends.ts';
import { askedSkips, skippedEnded } from './steps/skips.ts';
import { StepStarts } from './steps/starts.ts';
import { Steps } from './steps/steps.ts';
import { Values } from './values.ts';

export interface Advanced {
  readonly run: WrittenRun;
  readonly steps: readonly WrittenStep[];
  readonly compensations: readonly WrittenCompensation[];
  readonly inbox: readonly NewInboxRow[];
  readonly jobs: readonly NewJob[];
  /** Results to cache for matching steps. */
  readonly kept: readonly KeptResult[];
  readonly lookups: CacheLookups;
  /** Set if the workflow has ended. */
  readonly outcome: WorkflowOutcome | undefined;
}

export class Advance {
  readonly parts: AdvanceParts;
  readonly steps: Steps;
  readonly values: Values;
  readonly #starts: StepStarts;
  readonly #cached: CachedSteps;
  readonly #compensations: Compensations;
  readonly #inbox: NewInboxRow[] = [];
  /** Failures of steps' jobs. */
  readonly #causes = new Map<number, Failure>();
  #run: WorkflowRun;
  #failure: Failure | undefined;
  #outcome: WorkflowOutcome | undefined;

  constructor(parts: AdvanceParts) {
    this.parts = parts;
    const { workflow, body, store, expressions } = parts;
    this.steps = new Steps(body.graph, workflow.jobId, store.workflows, parts.known);
    this.values = new Values(workflow, this.steps, { store: store.workflows, expressions });
    this.#cached = new CachedSteps(parts, this.steps, this.values);
    this.#starts = new StepStarts(parts, this.steps, this.values, this.#cached);
    this.#compensations = new Compensations(parts, this.steps, this.values);
    this.#run = workflow.run ?? newRun;
    this.#failure = workflow.failure;
  }

  async go(): Promise<Advanced> {
    const { workflow, body } = this.parts;
    const wasStopping = isStopping(this.#run);
    if (workflow.depth > MAX_DEPTH) this.#stopFor('FAILED', nestedTooDeeply);
    for (const { kind } of workflow.inbox) {
      if (kind === 'CANCEL')
        this.#stopFor('CANCELLED', systemFailure('CANCELLED', 'Cancelled', workflow.reason ?? 'cancelled'));
      if (kind === 'TIME_OUT') this.#stopFor('TIMED_OUT', systemFailure('TIMEOUT', 'TotalTimeout', lateText));
    }
    const isNew = workflow.run === undefined;
    const reportedSteps = workflow.inbox.flatMap(({ step }) => (isOfStep(step) ? [step] : []));
    // Most reported steps have ended, so their successors are loaded with them.
    await this.steps.load([...reportedSteps, ...reportedSteps.flatMap((step) => body.graph.successors(step))]);
    await this.#compensationsEnded();
    const ends = [...this.#skips(), ...(await this.#childrenEnded())];
    if (!isStopping(this.#run)) {
      if (isNew) ends.push(...(await this.#adopt()));
      const over = new Set(ends.map(({ step }) => step));
      const roots = isNew ? body.graph.roots('NORMAL').filter((step) => !over.has(step)) : [];
      ends.push(...(await this.#start([...roots, ...this.#continuing(ends)])));
    }
    await this.#waves(ends);
    await this.#settle();
    if (isStopping(this.#run) && !wasStopping && this.#run.running > 0) this.#cancelChildren(undefined);
    // It may have been paused: what may still run continues.
    if (workflow.inbox.some(isStop) && !isStopping(this.#run))
      this.#inbox.push({ jobId: workflow.jobId, step: undefined, kind: 'PAUSE_CHILDREN' });
    return this.#advanced();
  }

  #advanced(): Advanced {
    const { jobId, depth } = this.parts.workflow;
    const { notUndone } = this.#compensations;
    const run = { jobId, depth, run: this.#run, failure: this.#failure, notUndone };
    const inbox = this.#outcome ? [] : [...this.#inbox, ...this.#starts.inbox];
    return {
      run,
      steps: this.steps.changed(),
      compensations: this.#compensations.changed(),
      inbox,
      jobs: [...this.#starts.jobs, ...this.#compensations.jobs],
      kept: this.#cached.kept,
      lookups: this.#cached.lookups,
      outcome: this.#outcome,
    };
  }

  #stopFor(why: 'FAILED' | 'CANCELLED' | 'TIMED_OUT', failure: Failure): void {
    this.#run = stopFor(this.#run, why);
    if (this.#run.stopReason === why) this.#failure = failure;
  }

  #cancelChildren(step: number | undefined): void {
    this.#inbox.push({ jobId: this.parts.workflow.jobId, step, kind: 'CANCEL_CHILDREN' });
  }

  /** A retry takes over the successful steps of the WORK phase as if they had run here. Steps to skip never start. */
  async #adopt(): Promise<EndedStep[]> {
    const { store, workflow, body } = this.parts;
    if (!workflow.retryOf) return [];
    const [good, asked] = await Promise.all([
      adoptedSteps(store.workflows, body.graph, workflow.retryOf),
      store.workflows.readAskedSkips(workflow.jobId),
    ]);
    for (const { jobId, step, ...row } of good) {
      const { adoptedFrom = jobId } = row;
      this.steps.put(step, {
        ...row,
        counts: noneEnded,
        neededItems: undefined,
        adoptedFrom,
        reason: `adopted from ${adoptedFrom}`,
      });
    }
    for (const { jobId: _, step, ...row } of asked) this.steps.put(step, row);
    this.#run = afterStarts(this.#run, good.length);
    return [
      ...good.map(({ step }) => ({ step, state: 'SUCCEEDED' as const })),
      ...asked.map(({ step }) => ({ step, state: 'SKIPPED' as const })),
    ];
  }

  /** Steps with more to start, except those that have ended since. */
  #continuing(ends: readonly EndedStep[]): number[] {
    const reportedSteps = this.parts.workflow.inbox.flatMap(({ kind, step }) =>
      kind === 'CONTINUE' && step !== undefined ? [step] : [],
    );
    const isOpen = (step: number) => {
      const { state, skipReason } = this.steps.row(step);
      return ['WAITING', 'RUNNING'].includes(state) && skipReason === undefined;
    };
    const isOfPhase = (step: number) => this.steps.graph.step(step).role === roleOf(this.#run.phase);
    const ended = new Set(ends.map(({ step }) => step));
    return [...new Set(reportedSteps)].filter((step) => isOpen(step) && isOfPhase(step) && !ended.has(step));
  }

  async #compensationsEnded(): Promise<void> {
    const inbox = this.parts.workflow.inbox.flatMap((one) => {
      const step = one.kind === 'CHILDREN_ENDED' && one.step !== undefined ? compensatedStep(one.step) : undefined;
      return step === undefined ? [] : [{ ...one, step }];
    });
    for (let ended = await this.#compensations.ended(inbox); ended > 0; ended--)
      this.#run = afterCompensation(this.#run);
  }

  /** Whether this transaction must decide again. */
  async #compensate(): Promise<boolean> {
    const begun = await this.#compensations.next();
    if (begun === 'LATER') {
      this.#inbox.push({ jobId: this.parts.workflow.jobId, step: undefined, kind: 'CONTINUE' });
      return false;
    }
    this.#run = afterStarts(this.#run, 1);
    if (begun === 'FAILED') this.#run = afterCompensation(this.#run);
    return true;
  }

  /** Applies ended jobs to their steps. Returns the steps that ended. */
  async #childrenEnded(): Promise<EndedStep[]> {
    const ended: EndedStep[] = [];
    for (const [step, inbox] of byStep(this.parts.workflow.inbox)) {
      const { state: before, skipReason } = this.steps.row(step);
      if (before !== 'RUNNING') continue;
      const state = skipReason === undefined ? await this.#stepEnded(step, inbox) : this.#skippedEnded(step, inbox);
      if (state) ended.push({ step, state });
    }
    return ended;
  }

  /** Ends the steps that end at once because somebody skips them. */
  #skips(): EndedStep[] {
    const { ended, ran, cancelled } = askedSkips(this.steps, this.#run, this.parts.workflow.inbox);
    for (const step of cancelled) this.#cancelChildren(step);
    for (const step of ended) this.steps.change(step, { state: 'SKIPPED' });
    this.#run = afterSkips(this.#run, ran);
    return ended.map((step) => ({ step, state: 'SKIPPED' }));
  }

  #skippedEnded(step: number, inbox: readonly InboxRow[]): EndedStepState | undefined {
    const state = skippedEnded(this.steps, step, inbox);
    if (state === 'SKIPPED') this.#run = afterSkips(this.#run, 1);
    return state;
  }

  async #stepEnded(step: number, inbox: readonly InboxRow[]): Promise<EndedStepState | undefined> {
    const { fanOut, loop } = this.steps.graph.step(step);
    if (fanOut) return this.#itemsEnded(step, inbox);
    const state = passEnded(this.steps.row(step), inbox);
    if (!state) return undefined;
    if (state !== 'SUCCEEDED') return this.#childFailed(step, state);
    if (!loop) return 'SUCCEEDED';
    const again = await this.#starts.nextPass(step, isStopping(this.#run));
    return again === 'AGAIN' ? undefined : again === 'DONE' ? 'SUCCEEDED' : 'FAILED';
  }

  async #childFailed(step: number, state: JobState): Promise<'FAILED'> {
    const { childId } = this.steps.row(step);
    const [outcome] = childId ? await this.parts.store.workflows.readOutcomes([childId]) : [];
    this.steps.change(step, { reason: `job ${childId} ${state === 'FAILED' ? 'failed' : `is ${state}`}` });
    this.#causes.set(step, childFailure(this.steps.graph.step(step).name, state, outcome?.failure));
    return 'FAILED';
  }

  /** Applies ended items of a fan-out: starts more, or returns the step's end state once none is open. */
  async #itemsEnded(step: number, inbox: readonly InboxRow[]): Promise<EndedStepState | undefined> {
    const { name, fanOut } = this.steps.graph.step(step);
    const before = this.steps.row(step).fanOut;
    if (!fanOut || !before) throw new Error(`step "${name}" has no items`);
    const { state, verdict, isOpen, reason } = endedItems(fanOut, before, inbox, {
      stopping: isStopping(this.#run),
    });
    const isWhy = verdict?.isNew && reason !== undefined;
    this.steps.change(step, {
      fanOut: state,
      ...(isWhy ? { reason: whyFailed(reason, this.steps.row(step).reason) } : {}),
    });
    if (verdict === undefined) return isStopping(this.#run) ? undefined : this.#starts.moreItems(step);
    if (isOpen) {
      if (verdict.isNew) this.#cancelChildren(step);
      return undefined;
    }
    return verdict.state;
  }

  /** Starts the steps. Returns those that ended at once. */
  async #start(steps: readonly number[]): Promise<readonly EndedStep[]> {
    const { started, ended } = await this.#starts.start(steps);
    this.#run = afterStarts(this.#run, started);
    return ended;
  }

  /**
   * Records the failure's cause. A later failure replaces a tolerated one; among several at once a leaf's comes first.
   */
  #blame(ends: readonly EndedStep[]): void {
    const failed = ends.filter(({ state }) => state === 'FAILED').map(({ step }) => step);
    const step = failed.find((one) => this.steps.graph.isLeaf(one)) ?? failed[0] ?? this.#failedByItem(ends);
    if (step === undefined || (this.#failure && (hasFailed(this.#run) || this.#run.cleanupFailed))) return;
    const { reason } = this.steps.row(step);
    const text = `step "${this.steps.graph.step(step).name}": ${reason}`;
    this.#failure = this.#causes.get(step) ?? systemFailure('APPLICATION', 'StepFailed', text);
  }

  /** A step that can't start because of an item, although no step that it needs has failed. */
  #failedByItem(ends: readonly EndedStep[]): number | undefined {
    const { graph } = this.steps;
    return ends.find(({ step, state }) => {
      const { counts } = this.steps.row(step);
      return state === 'UPSTREAM_FAILED' && graph.isLeaf(step) && counts.failed + counts.upstreamFailed === 0;
    })?.step;
  }

  async #waves(first: readonly EndedStep[]): Promise<void> {
    const { graph } = this.steps;
    for (let ends = first; ; ) {
      for (const { step, state } of ends) this.steps.change(step, { state });
      const items = this.steps.itemChanges();
      if (ends.length === 0 && items.length === 0) return;
      this.#blame(ends);
      this.#compensations.owe(ends, this.#run.ended);
      this.#cached.ended(ends);
      this.#run = afterEnds(graph, this.parts.body.workflow, this.#run, ends);
      await this.steps.load(successorsOf(graph, ends, items));
      const found = wave(graph, this.steps.rows(), ends, items);
      for (const [step, { state, counts, neededItems }] of found.rows)
        this.steps.change(step, { state, counts, neededItems });
      for (const { step, state } of found.ended)
        this.steps.change(step, { reason: endedBy[graph.step(step).countsItems ? 'items' : 'steps'][state] });
      const begun = isStopping(this.#run) ? [] : await this.#start(found.ready);
      ends = [...found.ended, ...begun];
    }
  }

  async #settle(): Promise<void> {
    const { graph } = this.steps;
    for (;;) {
      const decision = decidePhase(graph, this.#run);
      if (decision.kind === 'STAY') return;
      if (decision.kind === 'END') {
        this.#outcome = await outcomeOf(decision.state, this.#failure, this.#compensations.notUndone, this);
        return;
      }
      if (decision.kind === 'COMPENSATE') {
        if (!(await this.#compensate())) return;
        continue;
      }
      this.#run = enterPhase(this.#run, decision.phase);
      await this.steps.load(decision.roots);
      await this.#waves(await this.#start(decision.roots));
    }
  }
}

const lateText = 'it did not end within its total timeout';
const nestedTooDeeply = systemFailure(
  'APPLICATION',
  'NestedTooDeeply',
  `it is nested in more than ${MAX_DEPTH - 1} workflows`,
);

const SKIPPED = 'its trigger rule can no longer be met';
const endedBy: Readonly<Record<'steps' | 'items', Readonly<Partial<Record<EndedStepState, string>>>>> = {
  steps: { SKIPPED, UPSTREAM_FAILED: 'a step that it needs failed' },
  items: { SKIPPED, UPSTREAM_FAILED: 'a step or an item that it needs failed' },
};

function isStop({ kind }: InboxRow): boolean {
  return kind === 'CANCEL' || kind === 'TIME_OUT';
}

/** Whether an inbox entry is for a step, and not for a compensation. */
function isOfStep(step: number | undefined): step is number {
  return step !== undefined && compensatedStep(step) === undefined;
}

function byStep(inbox: readonly InboxRow[]): Map<number, InboxRow[]> {
  const found = new Map<number, InboxRow[]>();
  for (const one of inbox) {
    if (one.kind !== 'CHILDREN_ENDED' || !isOfStep(one.step)) continue;
    const list = found.get(one.step);
    if (list) list.push(one);
    else found.set(one.step, [one]);
  }
  return found;
}
