/** Running workflows, as passed between engine and store. */

import type { Failure, Payload } from '../../domain/base/payload.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { CompensationState } from '../../domain/workflows/compensation.ts';
import type { NeededItems } from '../../domain/workflows/counted-items.ts';
import type { FanOutState } from '../../domain/workflows/fan-out.ts';
import type { Phase, WorkflowRun } from '../../domain/workflows/phases.ts';
import type { CachedResult } from '../../domain/workflows/step-cache.ts';
import type { StepState } from '../../domain/workflows/step-state.ts';
import type { StepCounts } from '../../domain/workflows/trigger-rules.ts';
import type { WorkflowStep } from '../../domain/workflows/workflow.ts';
import type { InboxRow } from './inbox.ts';
import type { JobView } from './jobs.ts';

/** The step that a job belongs to. */
export interface ParentStep {
  /** The workflow's job. */
  readonly jobId: string;
  /** The step's number. */
  readonly step: number;
  /** The item's index in a fan-out, the pass of a loop, else 0. */
  readonly item: number;
}

/** The run of a workflow's job, locked. */
export interface LockedRun {
  readonly jobId: string;
  readonly laneId: number;
  /** Ends of its steps get inbox entries for the jobs that depend on them. */
  readonly notifiesDependents: boolean;
  readonly state: 'WAITING' | 'CANCELLING';
  /** The reason of a cancel. */
  readonly reason: string | undefined;
  /** Until when handlers of its jobs may take, if a cancel says so. */
  readonly childrenUntilUs: number | undefined;
}

export interface StoredWorkflow {
  readonly jobId: string;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly input: Payload;
  readonly fairnessKey: string | undefined;
  readonly traceparent: string;
  readonly tracestate: string;
  /** Number of nested workflows including itself: 1 if it is not a step. */
  readonly depth: number;
  /** The workflow's job that this one retries. */
  readonly retryOf: string | undefined;
  /** Undefined: it has just started. */
  readonly run: WorkflowRun | undefined;
  /** Why it fails, if known so far. */
  readonly failure: Failure | undefined;
  /** Failed compensations, as text. */
  readonly notUndone: string | undefined;
}

/** A workflow's job, locked. */
export interface LockedWorkflow extends LockedRun, StoredWorkflow {
  /** Taken by this transaction, except CANCEL_CHILDREN. Entries that stop the workflow come first, then by age. */
  readonly inbox: readonly InboxRow[];
}

export interface StepKey {
  readonly jobId: string;
  readonly step: number;
}

/** A step with a stored row. */
export interface StoredStep {
  readonly state: StepState;
  readonly counts: StepCounts;
  /** The fan-outs that it counts by their items. Undefined: none has ended or knows its items. */
  readonly neededItems: NeededItems | undefined;
  /** Its job, or that of its last pass. Undefined: it has none, or one for each item. */
  readonly childId: string | undefined;
  /** Number of ended passes of a loop. */
  readonly iteration: number;
  readonly fanOut: FanOutState | undefined;
  /** Why it was skipped, or failed without a job, or what its job depends on. */
  readonly reason: string | undefined;
  /** The workflow whose step succeeded in place of this one. */
  readonly adoptedFrom: string | undefined;
  /** Why somebody skips it. While the step runs, its open jobs are being cancelled. */
  readonly skipReason: string | undefined;
  /** While it runs: the key under which its result is cached for matching steps. */
  readonly cacheKey: Uint8Array | undefined;
  /** When it took the cached result of an earlier job, `childId`. Undefined: it did not. */
  readonly cacheTimeUs: number | undefined;
}

export interface WrittenStep extends StepKey, StoredStep {}

/** The compensation of a successful step of the WORK phase. */
export interface StoredCompensation {
  /** The step's number in the order of ends. */
  readonly endNumber: number;
  readonly state: CompensationState;
  /** The job of the compensation. */
  readonly compensationId: string | undefined;
  /** Why it failed. */
  readonly reason: string | undefined;
}

export interface WrittenCompensation extends StepKey, StoredCompensation {}

/** The changes of workflows; max one per workflow, step and compensation. */
export interface WrittenWorkflows {
  readonly runs: readonly WrittenRun[];
  readonly steps: readonly WrittenStep[];
  readonly compensations: readonly WrittenCompensation[];
}

export interface WrittenRun {
  readonly jobId: string;
  readonly depth: number;
  readonly run: WorkflowRun;
  readonly failure: Failure | undefined;
  readonly notUndone: string | undefined;
}

/** The outcome of a step's job. */
export interface ChildOutcome {
  readonly jobId: string;
  readonly state: JobState;
  readonly result: Payload | undefined;
  readonly failure: Failure | undefined;
}

/** Selects jobs of a workflow. */
export interface OpenChildren {
  readonly jobId: string;
  /** Undefined: jobs of all steps. */
  readonly step: number | undefined;
  /** Except jobs of these steps. */
  readonly butSteps: readonly number[];
}

/** An open job of a step, or a member of a batch, in the order of steps and ids. */
export interface ChildKey {
  readonly step: number;
  readonly jobId: string;
}

/** A requested skip of a step. */
export interface StepSkip extends StepKey {
  readonly namespace: string;
  readonly name: string;
  readonly reason: string;
  readonly auditId: string;
}

export interface WorkflowStore {
  /** Locks the jobs' runs, in this order. Without jobs that have ended, are paused, or are with a worker. */
  lockRuns(jobIds: readonly string[]): Promise<LockedRun[]>;
  /** Open workflows, in any order. */
  readOpen(jobIds: readonly string[]): Promise<StoredWorkflow[]>;
  /** Undefined: it has not been started. */
  readRun(jobId: string): Promise<WorkflowRun | undefined>;
  /** Only steps with rows, in any order. */
  readSteps(keys: readonly StepKey[]): Promise<WrittenStep[]>;
  /** Steps that a workflow which has not started must skip. */
  readAskedSkips(jobId: string): Promise<WrittenStep[]>;
  /** For a workflow that ended without success: its steps with rows, in their order; at most 10,000. */
  readPastSteps(jobId: string): Promise<WrittenStep[]>;
  /** Only existing ones, in any order. */
  readCompensations(keys: readonly StepKey[]): Promise<WrittenCompensation[]>;
  /** For all steps of a workflow. */
  readCompensationsOf(jobId: string): Promise<WrittenCompensation[]>;
  /** The waiting compensation whose step ended last, but before the end numbered `before`. */
  readNextCompensation(jobId: string, before: number | undefined): Promise<WrittenCompensation | undefined>;
  /** Only ended jobs, in any order. */
  readOutcomes(childIds: readonly string[]): Promise<ChildOutcome[]>;
  /** Results of a fan-out in the order of items, if they are at most `maxBytes` together; undefined: they are more. */
  readItemResults(
    key: StepKey,
    maxBytes: number,
  ): Promise<{ readonly item: number; readonly result: Payload }[] | undefined>;
  /** The caller has locked the workflows, for these three. */
  writeRuns(runs: readonly WrittenRun[]): Promise<void>;
  writeSteps(steps: readonly WrittenStep[]): Promise<void>;
  writeCompensations(compensations: readonly WrittenCompensation[]): Promise<void>;
  /** Open jobs without a cancel request. */
  readOpenChildren(asked: OpenChildren, limit: number): Promise<string[]>;
  /** Open jobs of a workflow or a batch after a job, by step and id, without jobs that are CANCELLING. */
  readChildren(jobId: string, after: ChildKey | undefined, limit: number): Promise<ChildKey[]>;
}

export interface WorkflowTransactions {
  /** Within `together`: locks the open ones, and takes their entries of the job inbox. */
  lock(jobIds: readonly string[]): Promise<LockedWorkflow[]>;
  /** Within `together`: locks an open, started workflow. Undefined: it is not. */
  lockRun(jobId: string): Promise<WorkflowRun | undefined>;
  /** Within `together`, for a locked workflow: stores the skip of a step, with an audit record. */
  skipStep(skip: StepSkip): Promise<void>;
  /** Within `together`; the caller has locked the workflows. */
  write(written: WrittenWorkflows): Promise<void>;
}

/** A compensation as shown to callers. */
export interface ShownCompensation extends Omit<StoredCompensation, 'endNumber'> {
  /** When its job was made, and when it ended. */
  readonly startTimeUs: number | undefined;
  readonly endTimeUs: number | undefined;
}

/** A step with a stored row, as shown to callers. */
export interface StepRecord extends Pick<StoredStep, 'state' | 'childId' | 'iteration' | 'fanOut' | 'reason'> {
  readonly step: number;
  /** It took the cached result of an earlier job; both times are when it did. */
  readonly cached: boolean;
  /** When its job, or the job of the first item, was made. */
  readonly startTimeUs: number | undefined;
  /** When its job ended. Undefined also for a fan-out. */
  readonly endTimeUs: number | undefined;
  /** Undefined: it has none, or the step has not succeeded. */
  readonly compensation: ShownCompensation | undefined;
}

/** A step as shown to callers. */
export interface ShownStep extends Omit<StepRecord, 'step' | 'reason'> {
  readonly step: WorkflowStep;
  readonly number: number;
  readonly reason: string;
}

export interface WorkflowProgress {
  /** Undefined: the workflow has not started. */
  readonly phase: Phase | undefined;
  readonly counts: Readonly<Record<StepState, number>>;
  /** Successful steps that took a cached result. */
  readonly cached: number;
}

export interface HowFar {
  /** Fraction of its steps that are over, from 0 to 1. */
  readonly progress: number;
  /** Undefined: there is no estimate. */
  readonly estimatedEndUs: number | undefined;
}

export interface WorkflowView extends WorkflowProgress, HowFar {
  readonly job: JobView;
  readonly size: number;
}

export interface StepQuery {
  /** The last step of the page before; -1 for the first page. */
  readonly afterStep: number;
  /** Empty: all. */
  readonly states: readonly StepState[];
  readonly limit: number;
}

export interface StepPage {
  readonly steps: readonly ShownStep[];
  readonly hasMore: boolean;
}

/** Reads of workflows for callers, by the ids of their jobs. Steps without a row are not included. */
export interface WorkflowReads {
  readRun(jobId: string): Promise<WorkflowProgress>;
  /** The steps after this one, in their order. */
  readStates(jobId: string, afterStep: number): Promise<{ readonly step: number; readonly state: StepState }[]>;
  /** At most 1,000; in any order. */
  readSteps(jobId: string, steps: readonly number[]): Promise<StepRecord[]>;
  /**
   * Whether one of the open jobs below it, at any depth, is a wait, BLOCKED or PAUSED: only a person or an event can say
   * when it continues. Looks at 10,000 of them at most.
   */
  hasWaiting(jobId: string): Promise<boolean>;
}

/** The result of a job, cached for matching steps. */
export interface KeptResult {
  readonly namespace: string;
  readonly keyHash: Uint8Array;
  readonly jobId: string;
  readonly maxAgeMs: number;
}

export interface FoundResult extends CachedResult {
  readonly nowUs: number;
}

export interface StepCacheStore {
  /** The job last cached under the key, if it still exists, succeeded, and was not erased. */
  find(namespace: string, keyHash: Uint8Array): Promise<FoundResult | undefined>;
  /** Within `together`: replaces entries with the same keys; an entry's lifetime never gets shorter. */
  keep(kept: readonly KeptResult[]): Promise<void>;
}

/** Numbers of cache lookups. */
export interface CacheLookups {
  readonly hits: number;
  readonly misses: number;
}
