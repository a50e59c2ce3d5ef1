/**
 * The store's port, one interface per entity. `Statements` is what a database adapter implements: each method is one
 * statement and takes batches. `Store` adds the transactions that the engine composes of them (`composeStore`).
 */
import type { AttemptStore, AttemptTransactions } from './attempts.ts';
import type { BatchStore, BatchTransactions } from './batches.ts';
import type { BreakerStore, BreakerTransactions, RetryBudgetStore } from './breakers.ts';
import type { DefinitionStore, DefinitionTransactions, RolloutStore } from './definitions.ts';
import type { DependencyStore, DependencyTransactions } from './dependencies.ts';
import type { DispatchStore, DispatchTransactions, FairnessStore, FairnessTransactions } from './dispatch.ts';
import type { Outbox, StepTraces, TraceStore, TraceTransactions } from './events.ts';
import type { ExplainStore, ExplainTransactions } from './explanations.ts';
import type { InboxStore, InboxTransactions } from './inbox.ts';
import type { JobStore, JobTransactions } from './jobs.ts';
import type { LaneStore, LaneTransactions } from './lanes.ts';
import type { LimitStore, LimitTransactions } from './limits.ts';
import type { LogStore, LogTransactions } from './logs.ts';
import type { NamespaceStore } from './namespaces.ts';
import type { QueueStore, QueueTransactions } from './queues.ts';
import type { ScheduleStore, ScheduleTransactions } from './schedules.ts';
import type { SessionStore, SessionTransactions } from './sessions.ts';
import type { SignalWaitStore } from './signals.ts';
import type { SubmissionStore, SubmissionTransactions } from './submissions.ts';
import type { TriggerStore } from './triggers.ts';
import type { UpkeepStore } from './upkeep.ts';
import type { StepCacheStore, WorkflowReads, WorkflowStore, WorkflowTransactions } from './workflows.ts';

/** Identifies repeats of a call. */
export interface RequestKey {
  readonly requestId: string;
  /** Hash of the whole call. */
  readonly bodyHash: Uint8Array;
}

/** The jobs of a call that changes them in several transactions. */
export interface KeptPage {
  readonly jobIds: readonly string[];
  /** Start of the next page. */
  readonly nextBeforeJobId: string | undefined;
}

/** An earlier call with a request id. */
export interface KeptRequest {
  readonly bodyHash: Uint8Array;
  /** Empty if the call has kept none. */
  readonly page: KeptPage;
}

/** Ids of calls that change something, so that a repeat changes nothing. */
export interface RequestStore {
  /** True: no call has used the id. Waits for a concurrent one that is taking it. */
  insertRequestId(namespace: string, request: RequestKey, page: KeptPage | undefined): Promise<boolean>;
  readRequestId(namespace: string, requestId: string): Promise<KeptRequest | undefined>;
}

export interface RequestTransactions {
  /**
   * Within `together`: whether this is the first call with the id. A concurrent one waits. `reused`: another call used
   * the id.
   */
  takeRequestId(namespace: string, request: RequestKey): Promise<'first' | 'repeat' | 'reused'>;
  /** Stores the page for repeats of the call. Returns the stored one. */
  keepPage(namespace: string, request: RequestKey, page: KeptPage): Promise<KeptPage | 'reused'>;
}

export interface Statements
  extends RequestStore,
    DefinitionStore,
    LaneStore,
    SubmissionStore,
    DispatchStore,
    FairnessStore,
    LimitStore,
    BreakerStore,
    RetryBudgetStore,
    AttemptStore,
    JobStore,
    SessionStore,
    LogStore,
    TraceStore,
    NamespaceStore,
    UpkeepStore {
  readonly outbox: Outbox;
  readonly explain: ExplainStore;
  readonly queues: QueueStore;
  readonly schedules: ScheduleStore;
  readonly triggers: TriggerStore;
  readonly rollouts: RolloutStore;
  readonly inbox: InboxStore;
  readonly workflows: WorkflowStore;
  readonly workflowReads: WorkflowReads;
  readonly batches: BatchStore;
  readonly waits: SignalWaitStore;
  readonly dependencies: DependencyStore;
  readonly stepTraces: StepTraces;
  readonly stepCache: StepCacheStore;
  nowUs(): Promise<number>;
  /** Runs `work` in one transaction, through the given statements; an error rolls all of it back. */
  transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T>;
  /** The key that signs page tokens: the same for all replicas of a deployment, secret outside. */
  readPageTokenKey(): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Parts of the store that are both statements and transactions. */
interface Parts {
  readonly batches: BatchStore & BatchTransactions;
  readonly explain: ExplainStore & ExplainTransactions;
  readonly queues: QueueStore & QueueTransactions;
  readonly schedules: ScheduleStore & ScheduleTransactions;
  readonly dependencies: DependencyStore & DependencyTransactions;
  readonly inbox: InboxStore & InboxTransactions;
  readonly workflows: WorkflowStore & WorkflowTransactions;
}

export interface Store
  extends Omit<Statements, 'transaction' | keyof Parts>,
    Parts,
    BreakerTransactions,
    AttemptTransactions,
    DefinitionTransactions,
    DispatchTransactions,
    FairnessTransactions,
    JobTransactions,
    LaneTransactions,
    LimitTransactions,
    LogTransactions,
    RequestTransactions,
    SessionTransactions,
    SubmissionTransactions,
    TraceTransactions {
  /** Runs `work` in one transaction, through the given store; an error rolls all of it back. */
  together<T>(work: (store: Store) => Promise<T>): Promise<T>;
}
