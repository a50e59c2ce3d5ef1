/** Parts of the store with a subject of their own. */
import type { AuditQuery, AuditRecord } from './audit-views.ts';
import type { BatchStore } from './batch-views.ts';
import type { DeadlockStore } from './deadlock-views.ts';
import type { DependencyStore } from './dependency-views.ts';
import type { ExplainStore } from './explain-views.ts';
import type { Outbox } from './job-events.ts';
import type { QueueStore } from './queues.ts';
import type { ScheduleStore } from './schedule-views.ts';
import type { StepCacheStore } from './step-cache-views.ts';
import type { StepTraces } from './trace-views.ts';
import type { WaitStore } from './wait-views.ts';
import type { WorkflowReads, WorkflowStore } from './workflow-views.ts';

export interface StoreParts {
  readonly outbox: Outbox;
  readonly explain: ExplainStore;
  readonly queues: QueueStore;
  readonly schedules: ScheduleStore;
  readonly workflows: WorkflowStore;
  readonly workflowReads: WorkflowReads;
  /** What people did by hand, newest first. */
  readonly listAudit: (query: AuditQuery) => Promise<AuditRecord[]>;
  readonly batches: BatchStore;
  readonly waits: WaitStore;
  readonly dependencies: DependencyStore;
  readonly stepTraces: StepTraces;
  readonly stepCache: StepCacheStore;
  readonly deadlocks: DeadlockStore;
}
