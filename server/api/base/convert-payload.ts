/** Converts payloads, failures, spans and times between the contract and the core. */

import { create } from '@bufbuild/protobuf';
import { type Duration, DurationSchema, type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { FailureSchema, type Failure as WireFailure } from '@muster-jobs/sdk/gen/muster/v1/failure_pb';
import { PayloadSchema, type Payload as WirePayload } from '@muster-jobs/sdk/gen/muster/v1/payload_pb';
import { type Failure, failureCauses, type Payload } from '../../domain/base/payload.ts';
import { storableText } from '../../domain/base/storable-text.ts';
import { checkRange, durationMs, payloadFrom, THIRTY_DAYS_MS } from './checks.ts';
import type { Violations } from './violations.ts';

export function timestampTo(us: number): Timestamp;
export function timestampTo(us: number | undefined): Timestamp | undefined;
export function timestampTo(us: number | undefined): Timestamp | undefined {
  if (us === undefined) return undefined;
  const seconds = Math.floor(us / 1_000_000);
  return create(TimestampSchema, { seconds: BigInt(seconds), nanos: (us - seconds * 1_000_000) * 1000 });
}

export function durationTo(ms: number): Duration {
  const seconds = Math.floor(ms / 1000);
  return create(DurationSchema, { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) });
}

export function payloadTo(payload: Payload): WirePayload {
  return create(PayloadSchema, {
    data: payload.data,
    contentType: payload.contentType,
    metadata: { ...payload.metadata },
  });
}

export function failureTo(failure: Failure): WireFailure {
  return create(FailureSchema, {
    type: failure.type,
    message: failure.message,
    stackTrace: failure.stackTrace,
    failureCause: failureCauses[failure.failureCause],
    nonRetryable: failure.nonRetryable,
    ...(failure.retryDelayMs === undefined ? {} : { retryDelay: durationTo(failure.retryDelayMs) }),
    ...(failure.cause ? { cause: failureTo(failure.cause) } : {}),
    ...(failure.details ? { details: payloadTo(failure.details) } : {}),
    exitCode: failure.exitCode ?? 0,
  });
}

const MAX_TYPE = 256;
const MAX_MESSAGE = 8 << 10;
const MAX_STACK = 16 << 10;
const MAX_DEPTH = 16;
const CUT = '… (cut)';
const causeNames = new Map(
  Object.entries(failureCauses).map(([name, code]) => [code as number, name as Failure['failureCause']]),
);

function clean(text: string, max: number): string {
  const cut = text.length > max ? text.slice(0, max - CUT.length) + CUT : text;
  return storableText(cut);
}

/** The causes that a worker may report; the server determines all others. */
function causeFrom(code: number): Failure['failureCause'] {
  const name = causeNames.get(code);
  return name === 'TIMEOUT' || name === 'INFRASTRUCTURE' ? name : 'APPLICATION';
}

/** A worker's report is cut, not refused: reporting a failure must not fail because of its text. */
export function failureFrom(
  wire: WireFailure,
  maxBytes: number,
  field: string,
  violations: Violations,
  depth = 1,
): Failure {
  checkRange(wire.exitCode, 0, 255, `${field}.exit_code`, violations);
  const retryDelayMs = durationMs(wire.retryDelay, 0, THIRTY_DAYS_MS, `${field}.retry_delay`, violations);
  const cause =
    wire.cause && depth < MAX_DEPTH
      ? failureFrom(wire.cause, maxBytes, `${field}.cause`, violations, depth + 1)
      : undefined;
  return {
    type: clean(wire.type || 'Error', MAX_TYPE),
    message: clean(wire.message, MAX_MESSAGE),
    stackTrace: clean(wire.stackTrace, MAX_STACK),
    failureCause: causeFrom(wire.failureCause),
    nonRetryable: wire.nonRetryable,
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
    ...(cause ? { cause } : {}),
    ...(wire.exitCode > 0 ? { exitCode: wire.exitCode } : {}),
    ...(wire.details
      ? { details: payloadFrom(wire.details, Math.min(maxBytes, 64 << 10), `${field}.details`, violations) }
      : {}),
  };
}
