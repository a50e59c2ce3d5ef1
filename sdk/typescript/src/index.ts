/** Muster for TypeScript and JavaScript: `Client` submits jobs, `Worker` runs them. */
export type {
  ClientOptions,
  DefinitionInit,
  JobRef,
  JobRequest,
  RequestOptions,
  SubmittedJob,
} from './client/client.ts';
export { Client } from './client/client.ts';
export type { JobChange } from './client/job-change.ts';
export type { JobFilter } from './client/job-filter.ts';
export type { Redriven } from './client/job-pages.ts';
export type { WaitOptions } from './client/job-wait.ts';
export type { RetryPolicyInit, RetryPolicyOptions, RetryRuleOptions } from './client/retry-policy.ts';
export type { JobOptions } from './client/submission.ts';
export type { TransportRetry } from './client/transport-retry.ts';
export { durationFromMs, durationToMs } from './duration.ts';
export type { FieldViolation } from './error.ts';
export { Code, JobFailedError, MusterError } from './error.ts';
export type { Attempt } from './gen/muster/v1/attempt_pb.ts';
export { AttemptOutcome } from './gen/muster/v1/attempt_pb.ts';
export type { Failure } from './gen/muster/v1/failure_pb.ts';
export { FailureCause } from './gen/muster/v1/failure_pb.ts';
export type { JobDefinition } from './gen/muster/v1/job_definition_pb.ts';
export { LeaseLossAction } from './gen/muster/v1/job_definition_pb.ts';
export type { Job, Progress } from './gen/muster/v1/job_pb.ts';
export { IdempotencyConflictPolicy, JobState } from './gen/muster/v1/job_pb.ts';
export type { Payload } from './gen/muster/v1/payload_pb.ts';
export { isTerminal, stateName } from './job-state.ts';
export type { Logger, LogLevel } from './logger.ts';
export { consoleLogger } from './logger.ts';
export { decodePayload, encodePayload, payload } from './payload.ts';
export type { StopReason } from './worker/core/ports.ts';
export type { HandlerFunction, Handlers, JobContext, VersionedHandler } from './worker/handler.ts';
export { FinalError, HandlerStopped, InfrastructureError, RetryLater } from './worker/handler.ts';
export type { WorkerEvent, WorkerOptions } from './worker/worker.ts';
export { Worker } from './worker/worker.ts';
