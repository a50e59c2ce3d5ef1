/** Dependencies, as passed between engine and store. */
import type { Dependency } from '../../domain/dependencies/dependencies.ts';
import type { LinkedDependency, LockedAsset } from '../../domain/dependencies/links.ts';
import type { EdgeKey, LockedDependent, Settlement } from '../../domain/dependencies/settle.ts';
import type { TracedTarget } from '../../domain/events/job-spans.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { WorkflowRun } from '../../domain/workflows/phases.ts';
import type { EngineError } from '../base/errors.ts';
import type { UnknownLane } from './lanes.ts';
import type { StepKey, StoredStep } from './workflows.ts';

/** A dependency of a job: the job's index in its call, and the dependency's index in the job. */
export interface DependencyPlace {
  readonly index: number;
  readonly number: number;
}

/** Nothing is stored: a dependency is on a missing job, or would close a cycle. */
export type DependencyRefusal =
  | (DependencyPlace & { readonly kind: 'targetNotFound'; readonly jobId: string })
  | { readonly kind: 'dependencyRefused'; readonly error: EngineError | UnknownLane }
  /** Nothing is stored: the attempt may not have these children. */
  | { readonly kind: 'childrenRefused'; readonly why: 'CLOSED' | 'FULL' | 'TOO_DEEP' };

/** The stored trace context of a job; empty: none. */
export interface TraceFields {
  readonly traceparent: string;
  readonly tracestate: string;
}

/** The attempt whose handler submits jobs. */
export interface ParentAttempt {
  readonly jobId: string;
  readonly attempt: number;
  readonly sessionId: string;
  /** They continue when their parent ends. */
  readonly detached: boolean;
}

/** Dependencies of a job to store. */
export interface DependentJob {
  /** Dependencies on steps have the steps' numbers. Undefined: none. */
  readonly dependencies?: readonly Dependency[] | undefined;
  /** Its definition publishes assets. */
  readonly notifiesDependents?: boolean | undefined;
  /** The dependencies' targets, stored for the job's trace. */
  readonly tracedTargets?: readonly TracedTarget[] | undefined;
}

/** Dependencies of a call that stores jobs. */
export interface DependentCall {
  /** The parent of the jobs. Undefined: none. */
  readonly parentAttempt?: ParentAttempt | undefined;
  /** With `parentAttempt`: derives the trace context of children without one from their parent's. */
  readonly traceUnder?: ((parent: TraceFields) => TraceFields) | undefined;
  /** Some of the jobs depend on something. */
  readonly isDependent?: boolean | undefined;
  /** Within the transaction that stores the jobs, before the dependencies are read: an error that refuses them. */
  readonly refuseCycles?: ((store: DependencyStore) => Promise<EngineError | UnknownLane | undefined>) | undefined;
}

/** A job that is the target of dependencies, itself or with one of its steps. */
export interface TargetJob {
  readonly jobId: string;
  readonly laneId: number;
  readonly state: JobState;
}

/** A stored edge. */
export interface StoredDependency extends Dependency {
  readonly jobId: string;
  readonly number: number;
}

/** An asset with the number of its publications. */
export interface PublishedAsset {
  readonly namespace: string;
  readonly name: string;
  readonly version: number;
}

export interface Publication {
  readonly namespace: string;
  readonly name: string;
  readonly jobId: string;
  readonly timeUs: number;
}

export interface Asset {
  readonly namespace: string;
  readonly name: string;
  readonly version: number;
  readonly publishTimeUs: number;
  readonly jobId: string;
}

export interface AssetPage {
  readonly assets: readonly Asset[];
  readonly hasMore: boolean;
}

export interface TakenEdge extends StoredDependency {
  /** For an asset: its id. */
  readonly targetId: string;
}

/** Dependencies of a job to store. */
export interface EdgesOf {
  readonly jobId: string;
  /** The number of the first of them. */
  readonly first: number;
  readonly dependencies: readonly Dependency[];
}

export interface StartOfJob {
  readonly jobId: string;
  readonly runTimeUs?: number | undefined;
}

/** The numbers of a job's dependencies. */
export interface NumbersOfJob {
  readonly count: number;
  /** -1: it has none. */
  readonly last: number;
}

/** The dependencies of a job that was locked with their targets. */
export interface LinkedJob {
  /** Number of its dependencies so far. */
  readonly count: number;
  /** Undefined: the target does not exist. */
  readonly links: readonly (LinkedDependency | undefined)[];
}

/** An open child that may itself wait for something. */
export interface WaitingChild {
  readonly parentJobId: string;
  readonly jobId: string;
  readonly step: number;
}

/** The parent and step of an open job. */
export interface Ancestor {
  readonly jobId: string;
  readonly laneId: number;
  /** The step that contains the job asked for, or the ancestor before this one. */
  readonly step: number;
}

/** Children of a job: all, or those of one step. */
export interface ChildrenKey {
  readonly jobId: string;
  readonly step?: number;
}

/** Phase of a workflow, and why it stops. */
export interface WorkflowStage extends Pick<WorkflowRun, 'phase' | 'stopReason'> {
  readonly jobId: string;
}

export interface DependencyStore {
  /** Within `together`: serializes transactions that add edges which could close a cycle in the namespace. */
  lockEdges(namespace: string): Promise<void>;
  /**
   * Locks these jobs and `waiting`, as far as they are open, in the order of their ids. The ends of these jobs are
   * notified from now on.
   */
  lockTargets(jobIds: readonly string[], waiting: readonly string[]): Promise<void>;
  /** Missing jobs are left out. */
  readTargets(namespace: string, jobIds: readonly string[]): Promise<TargetJob[]>;
  /** Inserts missing assets, unpublished, in a fixed order. */
  makeAssets(namespace: string, names: readonly string[]): Promise<void>;
  /** In a fixed order, with a lock that publishers of the assets wait for, and that all waiting jobs share. */
  lockAssets(namespace: string, names: readonly string[]): Promise<LockedAsset[]>;
  /** The caller has locked the jobs. */
  insertEdges(namespace: string, edges: readonly EdgesOf[]): Promise<void>;
  /** Keeps the start times of blocked jobs for when they are released. */
  keepStarts(jobs: readonly StartOfJob[]): Promise<void>;
  readLastNumber(jobId: string): Promise<NumbersOfJob>;
  /** Locks open jobs with dependencies, in the order of their ids. */
  lockDependents(jobIds: readonly string[]): Promise<LockedDependent[]>;
  /** Deletes these and returns them. The caller has locked their jobs. */
  takeEdges(keys: readonly EdgeKey[]): Promise<TakenEdge[]>;
  /** Lowers the jobs' numbers of unmet dependencies. */
  lowerUnmet(met: Settlement['met']): Promise<void>;
  /** Stores the last publishers of the assets among the targets, for the jobs' traces. */
  keepPublishers(edges: readonly TakenEdge[]): Promise<void>;
  /** Deletes the dependencies of ended jobs. */
  drop(jobIds: readonly string[]): Promise<void>;
  /** Within `together`, after `link`: stores all targets, met or not, for the job's trace. */
  keepTargets(jobId: string, links: readonly LinkedDependency[]): Promise<void>;
  /** Within `together`: counts each publication, and adds an inbox entry for the jobs that depend on the asset. */
  publish(publications: readonly Publication[]): Promise<PublishedAsset[]>;
  /**
   * Locks the attempt's job, if the attempt is open in its session, adds to the number of its children, and returns it.
   * Undefined: the attempt is not open. A statement that ends the attempt waits for this and finds the children.
   */
  adopt(namespace: string, parent: ParentAttempt, children: number): Promise<number | undefined>;
  /** How deep the job is nested, up to a bound. 0: it is not open. */
  readDepth(jobId: string): Promise<number>;
  readTrace(jobId: string): Promise<TraceFields>;
  /** Within `together`: locks an open job and its open children. Returns the ids of these children. */
  linkChildren(jobId: string, childIds: readonly string[]): Promise<string[]>;
  /** Children that must stop with their parent and have no cancel request yet. */
  readAttached(jobId: string, limit: number): Promise<string[]>;
  listAssets(namespace: string, afterName: string, limit: number): Promise<AssetPage>;
  /** Without jobs that have ended. */
  readOpenJobs(jobIds: readonly string[]): Promise<TargetJob[]>;
  /** Open children of these that may wait for something themselves. */
  readWaitingChildren(keys: readonly ChildrenKey[], limit: number): Promise<WaitingChild[]>;
  /** Only workflows that have started. */
  readStages(jobIds: readonly string[]): Promise<WorkflowStage[]>;
  /** Only steps with a row. */
  readSteps(steps: readonly StepKey[]): Promise<(StepKey & Pick<StoredStep, 'state'>)[]>;
  /** From the parent up; empty for a job without one. */
  readAncestors(jobId: string): Promise<Ancestor[]>;
  /** By job, in their order. */
  readDependencies(jobIds: readonly string[]): Promise<StoredDependency[]>;
}

/** Within `together`. */
export interface DependencyTransactions {
  /** Locks an open job and the targets, and returns which dependencies are met. */
  link(namespace: string, jobId: string, dependencies: readonly Dependency[]): Promise<LinkedJob>;
  /** After `link`: stores the unmet ones. */
  addEdges(namespace: string, jobId: string, dependencies: readonly Dependency[]): Promise<void>;
}
