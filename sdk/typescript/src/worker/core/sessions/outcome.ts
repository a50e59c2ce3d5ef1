/** Outcomes of attempts as messages of the protocol, and their size. */
import type { Failure } from '../../../gen/muster/v1/failure_pb.ts';
import { FailureCause } from '../../../gen/muster/v1/failure_pb.ts';
import type { Payload } from '../../../gen/muster/v1/payload_pb.ts';
import type { AttemptReport, ReleaseReason } from '../../../gen/muster/worker/v1/attempt_report_pb.ts';
import type { HandlerOutcome, StopReason } from '../base/ports.ts';

export type Outcome = AttemptReport['outcome'];

/** Size of the ids, numbers and framing of one report. */
const FRAME_BYTES = 64;

export function released(reason: ReleaseReason): Outcome {
  return { case: 'released', value: { $typeName: 'muster.worker.v1.Released', reason } };
}

export function cancelled(): Outcome {
  return { case: 'cancelled', value: { $typeName: 'muster.worker.v1.Cancelled' } };
}

export function aborted(): Outcome {
  return { case: 'aborted', value: { $typeName: 'muster.worker.v1.Aborted' } };
}

export function suspended(childIds: readonly Uint8Array[]): Outcome {
  return {
    case: 'suspended',
    value: { $typeName: 'muster.worker.v1.Suspended', childJobIds: [...childIds] },
  };
}

export function failed(failure: Failure): Outcome {
  return { case: 'failure', value: failure };
}

/** The reported outcome of a handler; `stopped` is the reason for which it was asked to stop, if it was. */
export function verdictOn(stopped: StopReason | undefined, outcome: HandlerOutcome, maxPayload: number): Outcome {
  if (stopped === 'run_timeout') return failed(runTimeoutFailure());
  // A success that comes first wins. The outcome is `cancelled` or `suspended` only if the handler gave up because of
  // the request.
  if (stopped === 'cancelled' && outcome.kind !== 'result') return cancelled();
  if (stopped === 'suspended' && outcome.kind === 'failure') return suspended([]);
  return handlerOutcome(outcome, maxPayload);
}

/** The handler's outcome. A result that exceeds the server's maximum becomes a final failure. */
export function handlerOutcome(outcome: HandlerOutcome, maxPayload: number): Outcome {
  if (outcome.kind === 'failure') return failed(outcome.failure);
  if (outcome.kind === 'suspended') return suspended(outcome.childIds);
  const size = outcome.payload.data.length;
  if (size <= maxPayload) return { case: 'result', value: outcome.payload };
  return failed(sdkFailure('ResultTooLarge', `the result has ${size} bytes; the maximum is ${maxPayload}`));
}

export function runTimeoutFailure(): Failure {
  const failure = sdkFailure('RunTimeout', 'the handler did not return within its run timeout');
  return { ...failure, failureCause: FailureCause.TIMEOUT, nonRetryable: false };
}

/** A final failure that the SDK itself detected. */
export function sdkFailure(type: string, message: string): Failure {
  return {
    $typeName: 'muster.v1.Failure',
    type,
    message,
    stackTrace: '',
    failureCause: FailureCause.APPLICATION,
    nonRetryable: true,
    exitCode: 0,
  };
}

/** Upper estimate of the bytes of a report with this outcome: it counts three bytes per character of text. */
export function outcomeBytes(outcome: Outcome): number {
  if (outcome.case === 'result') return FRAME_BYTES + payloadBytes(outcome.value);
  if (outcome.case === 'failure') return FRAME_BYTES + failureBytes(outcome.value);
  if (outcome.case === 'suspended') return FRAME_BYTES * (1 + outcome.value.childJobIds.length);
  return FRAME_BYTES;
}

function failureBytes(failure: Failure): number {
  let bytes = 0;
  for (let f: Failure | undefined = failure; f !== undefined; f = f.cause) {
    bytes += FRAME_BYTES + 3 * (f.type.length + f.message.length + f.stackTrace.length);
    if (f.details) bytes += payloadBytes(f.details);
  }
  return bytes;
}

function payloadBytes(payload: Payload): number {
  let bytes = payload.data.length + 3 * payload.contentType.length;
  for (const key in payload.metadata) bytes += 8 + 3 * (key.length + (payload.metadata[key]?.length ?? 0));
  return bytes;
}
