/** What the engine and the store tell each other of workflows that run. */

import type { Failure, Payload } from '../../domain/base/payload.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { CompensationState } from '../../domain/workflows/compensation.ts';
import type { FanOutState } from '../../domain/workflows/fan-out.ts';
import type { Phase, WorkflowRun } from '../../domain/workflows/phases.ts';
import type { StepState } from '../../domain/workflows/step-state.ts';
import type { StepCounts } from '../../domain/workflows/trigger-rules.ts';
import type { WorkflowStep } from '../../domain/workflows/workflow.ts';
import type { InboxRow } from './inbox.ts';
import type { JobView } from './jobs.ts';

/** Where a job belongs that is a step's. */
export interface ParentStep {
  /** The workflow's job. */
  readonly jobId: string;
  /** The step's number. */
  readonly step: number;
  /** The item's place in a fan-out, the pass of a loop, else 0. */
  readonly item: number;
}

/** A workflow's job whose lock is held. */
export interface LockedWorkflow {
  readonly jobId: string;
  readonly laneId: number;
  /** The ends of its steps are told to jobs that depend on them. */
  readonly notifiesDependents: boolean;
  readonly state: 'WAITING' | 'CANCELLING';
  /** Of a cancel: why. */
  readonly reason: string | undefined;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly input: Payload;
  readonly fairnessKey: string | undefined;
  readonly traceparent: string;
  readonly tracestate: string;
  /** Workflows around it, itself included: 1 for one that is no step. */
  readonly depth: number;
  /** The workflow's job that this one is a retry of. */
  readonly retryOf: string | undefined;
  /** Undefined: it has just been started. */
  readonly run: WorkflowRun | undefined;
  /** Why it fails, if that is known by now. */
  readonly failure: Failure | undefined;
  /** What could not be taken back, as text. */
  readonly notUndone: string | undefined;
  /** Taken by this transaction, but for CANCEL_CHILDREN: what stops it first, then the oldest. */
  readonly inbox: readonly InboxRow[];
}

export interface StepKey {
  readonly jobId: string;
  readonly step: number;
}

/** A step of which something is known. */
export interface StoredStep {
  readonly state: StepState;
  readonly counts: StepCounts;
  /** Its job, or that of its last pass. Undefined: it has none, or one for each item. */
  readonly childId: string | undefined;
  /** Passes of a loop that have ended. */
  readonly iteration: number;
  readonly fanOut: FanOutState | undefined;
  /** Why it was skipped, or failed without a job, or what its job depends on. */
  readonly reason: string | undefined;
  /** The workflow whose step succeeded in place of this one. */
  readonly adoptedFrom: string | undefined;
  /** Somebody skips it: why. While it runs, what is open of it is being cancelled. */
  readonly skipReason: string | undefined;
  /** While it runs: under which its result is kept for steps that are alike. */
  readonly cacheKey: Uint8Array | undefined;
  /** When it took the result of an earlier job, `childId`, in place of a job of its own. Undefined: it did not. */
  readonly cacheTimeUs: number | undefined;
}

export interface WrittenStep extends StepKey, StoredStep {}

/** Of a step of the work that has succeeded, what takes it back. */
export interface StoredCompensation {
  /** The step's place in the order of ends. */
  readonly endNumber: number;
  readonly state: CompensationState;
  /** Its job. */
  readonly compensationId: string | undefined;
  /** Why it failed. */
  readonly reason: string | undefined;
}

export interface WrittenCompensation extends StepKey, StoredCompensation {}

export interface WrittenRun {
  readonly jobId: string;
  readonly depth: number;
  readonly run: WorkflowRun;
  readonly failure: Failure | undefined;
  readonly notUndone: string | undefined;
}

/** How a step's job ended. */
export interface ChildOutcome {
  readonly jobId: string;
  readonly state: JobState;
  readonly result: Payload | undefined;
  readonly failure: Failure | undefined;
}

/** Which jobs of a workflow are meant. */
export interface OpenChildren {
  readonly jobId: string;
  /** Undefined: of all steps. */
  readonly step: number | undefined;
  /** Not of these. */
  readonly butSteps: readonly number[];
}

/** Somebody skips a step. */
export interface StepSkip extends StepKey {
  readonly namespace: string;
  readonly name: string;
  readonly reason: string;
  readonly auditId: string;
}

export interface WorkflowStore {
  /**
   * Within `together`: locks those that are open, and passes over those that others have locked. Takes their entries of the job inbox.
   */
  lock(jobIds: readonly string[]): Promise<LockedWorkflow[]>;
  /** Within `together`: locks it if it is open and started. Undefined: it is not. */
  lockRun(jobId: string): Promise<WorkflowRun | undefined>;
  /** Within `together`, of a workflow that is locked: a step is to be skipped; with an audit record. */
  skipStep(skip: StepSkip): Promise<void>;
  /** Of those that there are; in any order. */
  readSteps(keys: readonly StepKey[]): Promise<WrittenStep[]>;
  /** Of a workflow that has not been started: steps that it is to skip. */
  readAskedSkips(jobId: string): Promise<WrittenStep[]>;
  /** Of a workflow that ended without success: steps that something had happened to, in their order; at most 10,000. */
  readPastSteps(jobId: string): Promise<WrittenStep[]>;
  /** Of those that there are; in any order. */
  readCompensations(keys: readonly StepKey[]): Promise<WrittenCompensation[]>;
  /** Of all steps of a workflow. */
  readCompensationsOf(jobId: string): Promise<WrittenCompensation[]>;
  /** That of the last step to end of those that wait for it, but only before the end with that number. */
  readNextCompensation(jobId: string, before: number | undefined): Promise<WrittenCompensation | undefined>;
  /** Of jobs that have ended; in any order. */
  readOutcomes(childIds: readonly string[]): Promise<ChildOutcome[]>;
  /** Results of a fan-out by item, in their order, as far as they are at most `maxBytes` together; undefined: they are more. */
  readItemResults(
    key: StepKey,
    maxBytes: number,
  ): Promise<{ readonly item: number; readonly result: Payload }[] | undefined>;
  /** Within `together`: what has become of workflows and steps. */
  write(written: {
    readonly runs: readonly WrittenRun[];
    readonly steps: readonly WrittenStep[];
    readonly compensations: readonly WrittenCompensation[];
  }): Promise<void>;
  /** Open jobs that nobody has asked to stop. */
  readOpenChildren(asked: OpenChildren, limit: number): Promise<string[]>;
}

/** As people see it. */
export interface ShownCompensation extends Omit<StoredCompensation, 'endNumber'> {
  /** When its job was made, and when it ended. */
  readonly startTimeUs: number | undefined;
  readonly endTimeUs: number | undefined;
}

/** Of a step of which something is known, what people see. */
export interface StepRecord extends Pick<StoredStep, 'state' | 'childId' | 'iteration' | 'fanOut' | 'reason'> {
  readonly step: number;
  /** It took the result of an earlier job, at both of these times. */
  readonly cached: boolean;
  /** When its job was made, or that of the first item. */
  readonly startTimeUs: number | undefined;
  /** When its job ended. Undefined also of a fan-out. */
  readonly endTimeUs: number | undefined;
  /** Undefined: it has none, or has not succeeded. */
  readonly compensation: ShownCompensation | undefined;
}

/** A step as people see it. */
export interface ShownStep extends Omit<StepRecord, 'step' | 'reason'> {
  readonly step: WorkflowStep;
  readonly number: number;
  readonly reason: string;
}

export interface WorkflowProgress {
  /** Undefined: it has not been started. */
  readonly phase: Phase | undefined;
  readonly counts: Readonly<Record<StepState, number>>;
  /** Of those that have succeeded: steps that took the result of an earlier job. */
  readonly cached: number;
}

export interface HowFar {
  /** Share of its steps that are over, from 0 to 1. */
  readonly progress: number;
  /** Undefined: nothing says when. */
  readonly estimatedEndUs: number | undefined;
}

export interface WorkflowView extends WorkflowProgress, HowFar {
  readonly job: JobView;
  readonly size: number;
}

export interface StepQuery {
  /** The last step of the page before; -1 for the first. */
  readonly afterStep: number;
  /** Empty: all. */
  readonly states: readonly StepState[];
  readonly limit: number;
}

export interface StepPage {
  readonly steps: readonly ShownStep[];
  readonly hasMore: boolean;
}

/** What is read of workflows for people; by the ids of their jobs. Steps without a row are in none of it. */
export interface WorkflowReads {
  readRun(jobId: string): Promise<WorkflowProgress>;
  /** Of the steps behind this one, in their order. */
  readStates(jobId: string, afterStep: number): Promise<{ readonly step: number; readonly state: StepState }[]>;
  /** At most 1,000; in any order. */
  readSteps(jobId: string, steps: readonly number[]): Promise<StepRecord[]>;
}
