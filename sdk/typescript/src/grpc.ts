/**
 * The raw gRPC calls, for tools that need more than `Client` offers. This entry point loads quickly: it imports neither
 * NATS nor the worker.
 */
export type { TransportRetry } from './client/transport-retry.ts';
export { DEFAULT_RETRY, withRetry } from './client/transport-retry.ts';
export { durationFromMs, durationToMs } from './duration.ts';
export type { FieldViolation } from './error.ts';
export { Code, MusterError } from './error.ts';
export * from './gen/muster/v1/attempt_pb.ts';
export * from './gen/muster/v1/audit_record_pb.ts';
export * from './gen/muster/v1/audit_service_pb.ts';
export * from './gen/muster/v1/batch_pb.ts';
export * from './gen/muster/v1/batch_service_pb.ts';
export * from './gen/muster/v1/dependency_pb.ts';
export * from './gen/muster/v1/event_pb.ts';
export * from './gen/muster/v1/event_service_pb.ts';
export * from './gen/muster/v1/failure_pb.ts';
export * from './gen/muster/v1/job_definition_pb.ts';
export * from './gen/muster/v1/job_definition_service_pb.ts';
export * from './gen/muster/v1/job_explanation_pb.ts';
export * from './gen/muster/v1/job_pb.ts';
export * from './gen/muster/v1/job_service_pb.ts';
export * from './gen/muster/v1/limit_pb.ts';
export * from './gen/muster/v1/log_record_pb.ts';
export * from './gen/muster/v1/namespace_pb.ts';
export * from './gen/muster/v1/namespace_service_pb.ts';
export * from './gen/muster/v1/payload_pb.ts';
export * from './gen/muster/v1/placement_pb.ts';
export * from './gen/muster/v1/queue_pb.ts';
export * from './gen/muster/v1/queue_service_pb.ts';
export * from './gen/muster/v1/retry_policy_pb.ts';
export * from './gen/muster/v1/schedule_pb.ts';
export * from './gen/muster/v1/schedule_service_pb.ts';
export * from './gen/muster/v1/wait_pb.ts';
export * from './gen/muster/v1/wait_service_pb.ts';
export * from './gen/muster/v1/worker_pb.ts';
export * from './gen/muster/v1/worker_service_pb.ts';
export * from './gen/muster/v1/workflow_pb.ts';
export * from './gen/muster/v1/workflow_run_pb.ts';
export * from './gen/muster/v1/workflow_service_pb.ts';
export { isTerminal, stateName } from './job-state.ts';
export { openChannel } from './transport/channel.ts';
export { serverStream } from './transport/server-stream.ts';
export type { CallOptions, UnaryClient } from './transport/unary-client.ts';
export { unaryClient } from './transport/unary-client.ts';
export { waitReasonName } from './wait-reason.ts';
