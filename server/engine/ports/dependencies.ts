/** Dependencies, as passed between engine and store. */
import type { Dependency, Ending } from '../../domain/dependencies/dependencies.ts';
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
  /** The dependencies' targets, stored for the job's trace as JSON. */
  readonly tracedTargets?: object | undefined;
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

/** A dependency after linking. */
export interface LinkedDependency {
  readonly dependency: Dependency;
  /** Undefined: it is not met yet, and may still be. */
  readonly ending: Ending | undefined;
  /** The job that last published an asset, if after the requested time. */
  readonly publisherId?: string | undefined;
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

/** An open job that others wait for, with its own dependencies. */
export interface WaitedJob {
  readonly jobId: string;
  readonly laneId: number;
  readonly state: JobState;
  readonly dependencies: readonly StoredDependency[];
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
  /** Missing jobs are left out. */
  readTargets(namespace: string, jobIds: readonly string[]): Promise<TargetJob[]>;
  /**
   * Within `together`: locks an open job and the targets, and returns which dependencies are met. The link of a missing
   * job is undefined.
   */
  link(
    namespace: string,
    jobId: string,
    dependencies: readonly Dependency[],
  ): Promise<{ readonly count: number; readonly links: readonly (LinkedDependency | undefined)[] }>;
  /** Within `together`, after `link`: stores the unmet ones. */
  addEdges(namespace: string, jobId: string, dependencies: readonly Dependency[]): Promise<void>;
  /** Deletes the dependencies of ended jobs. */
  drop(jobIds: readonly string[]): Promise<void>;
  /** Within `together`, after `link`: stores all targets, met or not, for the job's trace. */
  keepTargets(jobId: string, links: readonly LinkedDependency[]): Promise<void>;
  /** Within `together`: counts each publication, and adds an inbox entry for the jobs that depend on the asset. */
  publish(publications: readonly Publication[]): Promise<void>;
  /** Within `together`: locks an open job and its open children. Returns the ids of these children. */
  linkChildren(jobId: string, childIds: readonly string[]): Promise<string[]>;
  /** Children that must stop with their parent and have no cancel request yet. */
  readAttached(jobId: string, limit: number): Promise<string[]>;
  listAssets(namespace: string, afterName: string, limit: number): Promise<AssetPage>;
  /** Only open jobs. */
  readWaited(jobIds: readonly string[]): Promise<WaitedJob[]>;
  /** Open children of these that may wait for something themselves. */
  readWaitingChildren(keys: readonly ChildrenKey[], limit: number): Promise<WaitingChild[]>;
  /** Only workflows that have started. */
  readStages(jobIds: readonly string[]): Promise<WorkflowStage[]>;
  /** Only steps with a row. */
  readSteps(steps: readonly StepKey[]): Promise<(StepKey & Pick<StoredStep, 'state'>)[]>;
  /** From the parent up; empty for a job without one. */
  readAncestors(jobId: string): Promise<Ancestor[]>;
  /** The dependencies of one job, in their order. */
  readDependencies(jobId: string): Promise<StoredDependency[]>;
}
