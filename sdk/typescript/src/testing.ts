/**
 * Runs handlers in tests, without a worker and without a control plane. Inputs and results are encoded and decoded as
 * in production.
 */
export type { JobSubmission } from './gen/muster/v1/job_pb.ts';
export type { HandlerOptions, TestChild } from './testing/handler-options.ts';
export type { HandlerOutcome, ReportKind, SaidProgress } from './testing/handler-outcome.ts';
export type { RunningHandler } from './testing/running-handler.ts';
export { runHandler, startHandler } from './testing/running-handler.ts';
export { checkedHandler } from './worker/typed-handler.ts';
