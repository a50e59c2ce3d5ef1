/** What the engine and the store tell each other of dependencies. */
import type { Dependency, Ending } from '../../domain/dependencies/dependencies.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { WorkflowRun } from '../../domain/workflows/phases.ts';
import type { EngineError } from '../base/errors.ts';
import type { UnknownLane } from './lanes.ts';
import type { StepKey, StoredStep } from './workflows.ts';

/** A dependency of a job, whatever it is on: the place of the job in its call, and its own among those of the job. */
export interface DependencyPlace {
  readonly index: number;
  readonly number: number;
}

/** Nothing is stored: a dependency is on a job that is not there, or would close a circle. */
export type DependencyRefusal =
  | (DependencyPlace & { readonly kind: 'targetNotFound'; readonly jobId: string })
  | { readonly kind: 'dependencyRefused'; readonly error: EngineError | UnknownLane }
  /** Nothing is stored: the attempt may have no such children. */
  | { readonly kind: 'childrenRefused'; readonly why: 'CLOSED' | 'FULL' | 'TOO_DEEP' };

/** What is stored of a job's trace context; empty: nothing. */
export interface TraceFields {
  readonly traceparent: string;
  readonly tracestate: string;
}

/** The attempt whose handler submits jobs. */
export interface ParentAttempt {
  readonly jobId: string;
  readonly attempt: number;
  readonly sessionId: string;
  /** They go on when their parent ends. */
  readonly detached: boolean;
}

/** What a job about to be stored says of dependencies. */
export interface DependentJob {
  /** What it is to wait for; those on steps with the steps' numbers. Left out: nothing. */
  readonly dependencies?: readonly Dependency[] | undefined;
  /** Its definition publishes assets. */
  readonly notifiesDependents?: boolean | undefined;
  /** What of that is kept for its trace, as JSON. */
  readonly tracedTargets?: object | undefined;
}

/** What a call that stores jobs says of dependencies. */
export interface DependentCall {
  /** Whose children the jobs become. Left out: nobody's. */
  readonly parentAttempt?: ParentAttempt | undefined;
  /** With `parentAttempt`: the trace context of the children that have none, by what is stored with their parent. */
  readonly traceUnder?: ((parent: TraceFields) => TraceFields) | undefined;
  /** Some of the jobs depend on something. */
  readonly isDependent?: boolean | undefined;
  /** Within the transaction that stores the jobs, before what they depend on is looked at: what refuses them. */
  readonly refuseCycles?: ((store: DependencyStore) => Promise<EngineError | UnknownLane | undefined>) | undefined;
}

/** A job that dependencies are on, or whose step they are on. */
export interface TargetJob {
  readonly jobId: string;
  readonly laneId: number;
  readonly state: JobState;
}

/** An edge as it is stored. */
export interface StoredDependency extends Dependency {
  readonly jobId: string;
  readonly number: number;
}

/** One that is made known to what it is on. */
export interface LinkedDependency {
  readonly dependency: Dependency;
  /** Undefined: it has not come about yet, and may. */
  readonly ending: Ending | undefined;
  /** The job that published an asset last, where that was after the time that is asked for. */
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

/** An open job that is waited for, with what it waits for itself. */
export interface WaitedJob {
  readonly jobId: string;
  readonly laneId: number;
  readonly state: JobState;
  readonly dependencies: readonly StoredDependency[];
}

/** An open child that may wait for something. */
export interface WaitingChild {
  readonly parentJobId: string;
  readonly jobId: string;
  readonly step: number;
}

/** Where an open job belongs. */
export interface Ancestor {
  readonly jobId: string;
  readonly laneId: number;
  /** Of the job that was asked for, or of the ancestor before this one. */
  readonly step: number;
}

/** Children of a job: all of them, or those of one step. */
export interface ChildrenKey {
  readonly jobId: string;
  readonly step?: number;
}

/** How far a workflow is. */
export interface WorkflowStage extends Pick<WorkflowRun, 'phase' | 'stopReason'> {
  readonly jobId: string;
}

export interface DependencyStore {
  /** Within `together`: whoever makes edges that could close a circle in the namespace waits for the one before. */
  lockEdges(namespace: string): Promise<void>;
  /** Of those that are there. */
  readTargets(namespace: string, jobIds: readonly string[]): Promise<TargetJob[]>;
  /**
   * Within `together`: locks an open job and what is waited for, and says what has come about. A job that is not there has no
   * entry among the links.
   */
  link(
    namespace: string,
    jobId: string,
    dependencies: readonly Dependency[],
  ): Promise<{ readonly count: number; readonly links: readonly (LinkedDependency | undefined)[] }>;
  /** Within `together`, behind `link`: stores those that have not come about. */
  addEdges(namespace: string, jobId: string, dependencies: readonly Dependency[]): Promise<void>;
  /** Within `together`, behind `link`: keeps for the job's trace what it depends on, come about or not. */
  keepTargets(jobId: string, links: readonly LinkedDependency[]): Promise<void>;
  /** Within `together`: counts each once more, and adds an entry to the job inbox for jobs that depend on it. */
  publish(publications: readonly Publication[]): Promise<void>;
  /** Within `together`: locks an open job and those of its children that are open; their ids. */
  linkChildren(jobId: string, childIds: readonly string[]): Promise<string[]>;
  /** Children that are not to go on without their parent, and that nobody has asked to stop. */
  readAttached(jobId: string, limit: number): Promise<string[]>;
  listAssets(namespace: string, afterName: string, limit: number): Promise<AssetPage>;
  /** Of those that are open. */
  readWaited(jobIds: readonly string[]): Promise<WaitedJob[]>;
  /** Open children of these that may wait for something themselves. */
  readWaitingChildren(keys: readonly ChildrenKey[], limit: number): Promise<WaitingChild[]>;
  /** Of workflows that have been started. */
  readStages(jobIds: readonly string[]): Promise<WorkflowStage[]>;
  /** Of those that something has happened to. */
  readSteps(steps: readonly StepKey[]): Promise<(StepKey & Pick<StoredStep, 'state'>)[]>;
  /** From its parent on; of a job without one: none. */
  readAncestors(jobId: string): Promise<Ancestor[]>;
  /** Of one job, in their order. */
  readDependencies(jobId: string): Promise<StoredDependency[]>;
}
