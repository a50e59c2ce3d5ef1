/**
 * Converts the engine's messages to sessions to the contract's form, for the bus and for heartbeat responses. Built as
 * literals, because `create` would cost as much again as the encoding.
 */

import type { Duration } from '@bufbuild/protobuf/wkt';
import { LeaseLossAction } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import type { Payload as PayloadMessage } from '@muster-jobs/sdk/gen/muster/v1/payload_pb';
import type {
  Assignment as AssignmentMessage,
  CancelNotice as CancelNoticeMessage,
  SuspendNotice as SuspendNoticeMessage,
} from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import type { Payload } from '../domain/base/payload.ts';
import { uuidToBytes } from '../domain/base/uuid.ts';
import type { Assignment, CancelNotice, SuspendNotice } from '../engine/base/messages.ts';

const leaseLossActions = { ABORT: LeaseLossAction.ABORT, CONTINUE: LeaseLossAction.CONTINUE } as const;

/** The contract's form of an assignment. */
export function toAssignmentMessage(assignment: Assignment): AssignmentMessage {
  const { runTimeoutMs, checkpoint } = assignment;
  return {
    $typeName: 'muster.worker.v1.Assignment',
    jobId: uuidToBytes(assignment.jobId),
    attempt: assignment.attempt,
    creditId: BigInt(assignment.creditId),
    handler: assignment.handler,
    input: toPayloadMessage(assignment.input),
    prefetch: assignment.prefetch,
    runTimeout: toDuration(runTimeoutMs),
    definition: assignment.definition,
    definitionVersion: assignment.definitionVersion,
    namespace: assignment.namespace,
    attemptCount: assignment.attemptCount,
    checkpoint: checkpoint && toPayloadMessage(checkpoint),
    traceparent: assignment.traceparent,
    tracestate: assignment.tracestate,
    leaseLossAction: leaseLossActions[assignment.leaseLossAction],
  };
}

function toPayloadMessage(payload: Payload): PayloadMessage {
  const { data, contentType, metadata } = payload;
  return { $typeName: 'muster.v1.Payload', data, contentType, metadata: metadata ?? {} } as PayloadMessage;
}

/** The contract's form of a cancel. */
export function toCancelMessage(notice: CancelNotice): CancelNoticeMessage {
  return { $typeName: 'muster.worker.v1.CancelNotice', jobId: uuidToBytes(notice.jobId), attempt: notice.attempt };
}

/** The contract's form of a request to suspend. */
export function toSuspendMessage({ jobId, attempt, graceMs }: SuspendNotice): SuspendNoticeMessage {
  return {
    $typeName: 'muster.worker.v1.SuspendNotice',
    jobId: uuidToBytes(jobId),
    attempt,
    grace: toDuration(graceMs),
  };
}

function toDuration(ms: number): Duration {
  const seconds = Math.floor(ms / 1_000);
  return {
    $typeName: 'google.protobuf.Duration',
    seconds: BigInt(seconds),
    nanos: Math.round((ms - seconds * 1_000) * 1e6),
  };
}
