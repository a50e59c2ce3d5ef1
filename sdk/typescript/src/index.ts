/** Muster for TypeScript and JavaScript: `Client` submits jobs, `Worker` runs them. */
export type { LogOptions } from './client/attempt-logs.ts';
export type { BatchCallback, BatchHandle, BatchInit, BatchWaitOptions } from './client/batches/batch.ts';
export type { ClientOptions, PageOptions, RequestOptions } from './client/calls.ts';
export { Client } from './client/client.ts';
export type { DefinitionInit, DefinitionOptions } from './client/definition.ts';
export type { DependencyInit, DependencyWord } from './client/dependency.ts';
export type { EventOptions, EventPage } from './client/event-watch.ts';
export type { RetryOptions } from './client/job-client.ts';
export type { JobChange } from './client/jobs/job-change.ts';
export type { JobFilter } from './client/jobs/job-filter.ts';
export type { Redriven } from './client/jobs/job-pages.ts';
export type { JobRef } from './client/jobs/job-ref.ts';
export type { WaitOptions } from './client/jobs/job-wait.ts';
export type { CancelOptions, PauseOptions } from './client/jobs/pause.ts';
export type {
  JobOptions,
  JobRequest,
  MemberOptions,
  SubmittedJob,
  TypedJobRequest,
} from './client/jobs/submission.ts';
export type { SubmitManyOptions, SubmitOptions } from './client/jobs/submitter.ts';
export type { KeyLimitInit, KeyLimitOptions, RateLimitInit, RateLimitOptions } from './client/limits.ts';
export type { RetryPolicyInit, RetryPolicyOptions, RetryRuleOptions } from './client/retry-policy.ts';
export type { ApplyOptions, RolloutInit, RolloutOptions, RolloutRef, RolloutStepOptions } from './client/rollout.ts';
export type { ScheduledJobOptions, ScheduleInit, TimesInit } from './client/schedules/schedule.ts';
export type { PreviewOptions, RunOptions } from './client/schedules/schedule-client.ts';
export type { NamespaceChange, QueueChange } from './client/settings.ts';
export type { SentSignal, SignalInit } from './client/signal-client.ts';
export type { SoftDeadlineInit, SoftDeadlineOptions } from './client/soft-deadline.ts';
export type { TransportRetry } from './client/transport-retry.ts';
export type { CauseOptions, ConditionInit, JobCauseOptions, TriggerInit } from './client/triggers/trigger.ts';
export { allOf, anyOf, whenAsset, whenJobEnds, whenScheduleRuns, whenSignal } from './client/triggers/trigger.ts';
export type { AuditPageOptions, StepPageOptions } from './client/workflow-client.ts';
export { durationFromMs, durationToMs } from './duration.ts';
export type { FieldViolation } from './error.ts';
export { Code, JobFailedError, MusterError } from './error.ts';
export type { Asset } from './gen/muster/v1/asset_pb.ts';
export type { Attempt } from './gen/muster/v1/attempt_pb.ts';
export { AttemptOutcome } from './gen/muster/v1/attempt_pb.ts';
export type { Batch, BatchCounts, BatchRetry } from './gen/muster/v1/batch_pb.ts';
export type { CircuitBreakerStatus } from './gen/muster/v1/circuit_breaker_pb.ts';
export { CircuitState } from './gen/muster/v1/circuit_breaker_pb.ts';
export type { Dependency } from './gen/muster/v1/dependency_pb.ts';
export { DependencyCondition } from './gen/muster/v1/dependency_pb.ts';
export type { JobEvent } from './gen/muster/v1/event_pb.ts';
export type { Failure } from './gen/muster/v1/failure_pb.ts';
export { FailureCause } from './gen/muster/v1/failure_pb.ts';
export type { JobDefinition } from './gen/muster/v1/job_definition_pb.ts';
export { CleanupCondition, LeaseLossAction } from './gen/muster/v1/job_definition_pb.ts';
export { CompatibilityKind } from './gen/muster/v1/job_definition_service_pb.ts';
export type { Blocker, Constraint, JobExplanation } from './gen/muster/v1/job_explanation_pb.ts';
export type { Job, Progress } from './gen/muster/v1/job_pb.ts';
export { CancelStage, IdempotencyConflictPolicy, JobState, WaitReason } from './gen/muster/v1/job_pb.ts';
export { LimitPolicy } from './gen/muster/v1/limit_pb.ts';
export type { LogRecord } from './gen/muster/v1/log_record_pb.ts';
export { LogLevel as LogRecordLevel } from './gen/muster/v1/log_record_pb.ts';
export type { Payload } from './gen/muster/v1/payload_pb.ts';
export { StickyMode } from './gen/muster/v1/placement_pb.ts';
export type { Queue } from './gen/muster/v1/queue_pb.ts';
export type { Rollout, RolloutCounts, RolloutSettings } from './gen/muster/v1/rollout_pb.ts';
export { RolloutState } from './gen/muster/v1/rollout_pb.ts';
export type { Schedule, ScheduleRun } from './gen/muster/v1/schedule_pb.ts';
export { CatchUpPolicy, OverlapPolicy, ScheduleRunState, ScheduleSkipReason } from './gen/muster/v1/schedule_pb.ts';
export { DuplicatePolicy } from './gen/muster/v1/submission_rule_pb.ts';
export type { HeldCause, Trigger, TriggerCondition, TriggerProgress, TriggerRun } from './gen/muster/v1/trigger_pb.ts';
export { SessionState } from './gen/muster/v1/worker_pb.ts';
export type { FanOutProgress, Workflow, WorkflowStepRun } from './gen/muster/v1/workflow_run_pb.ts';
export { StepState, WorkflowPhase } from './gen/muster/v1/workflow_run_pb.ts';
export { isTerminal, stateName } from './job-state.ts';
export { levelName } from './log-level.ts';
export type { Logger, LogLevel } from './logger.ts';
export { consoleLogger } from './logger.ts';
export { decodePayload, encodePayload, payload } from './payload.ts';
export type { TypedJobInit } from './typed/define-job.ts';
export { defineJob } from './typed/define-job.ts';
export type { OutputOf, TypedJob, TypedRef } from './typed/typed-job.ts';
export { waitReasonName } from './wait-reason.ts';
export type { Child, ChildOptions } from './worker/children.ts';
export { WaitsForChildren } from './worker/children.ts';
export type { StopReason } from './worker/core/base/ports.ts';
export type { HandlerFunction, Handlers, JobContext, VersionedHandler } from './worker/handler.ts';
export {
  HandlerStopped,
  HandlerSuspended,
  InfrastructureError,
  NonRetryableError,
  RetryLater,
} from './worker/handler.ts';
export type { ProgressCounts } from './worker/progress.ts';
export type { TypedHandler } from './worker/typed-handler.ts';
export type { WorkerEvent, WorkerOptions } from './worker/worker.ts';
export { Worker } from './worker/worker.ts';
