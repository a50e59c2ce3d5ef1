/** The only mapping from refusals to gRPC: code, ErrorInfo, and the details that belong to it. */
import { randomUUID } from 'node:crypto';
import { create, type DescMessage, type Message, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  RetryInfoSchema,
} from '@muster-jobs/sdk/gen/google/rpc/error_details_pb';
import { StatusSchema } from '@muster-jobs/sdk/gen/google/rpc/status_pb';
import { asEngineError, type ErrorReason } from '../../engine/base/errors.ts';
import { Code } from './code.ts';
import { durationTo } from './convert-payload.ts';
import { cutText } from './cut-text.ts';
import { InvalidRequest } from './violations.ts';

/** Reasons that only the API uses. */
type ApiReason =
  | ErrorReason
  | 'PROTOCOL_VERSION_UNSUPPORTED'
  | 'REQUEST_TOO_LARGE'
  | 'HOST_NOT_ALLOWED'
  | 'ORIGIN_NOT_ALLOWED'
  | 'DEADLINE_EXCEEDED'
  | 'CALL_CANCELLED';

const codes: Record<ApiReason, number> = {
  INVALID_FIELD: Code.INVALID_ARGUMENT,
  REQUEST_ID_REUSED: Code.INVALID_ARGUMENT,
  DEFINITION_NOT_FOUND: Code.NOT_FOUND,
  JOB_NOT_FOUND: Code.NOT_FOUND,
  IDEMPOTENCY_CONFLICT: Code.ALREADY_EXISTS,
  DUPLICATE_JOB: Code.ALREADY_EXISTS,
  THROTTLED: Code.RESOURCE_EXHAUSTED,
  JOB_ENDED: Code.FAILED_PRECONDITION,
  JOB_NOT_ENDED: Code.FAILED_PRECONDITION,
  JOB_NOT_WAITING: Code.FAILED_PRECONDITION,
  JOB_NOT_FAILED: Code.FAILED_PRECONDITION,
  JOB_NOT_ASSIGNED: Code.FAILED_PRECONDITION,
  JOB_ERASED: Code.FAILED_PRECONDITION,
  WORKFLOW_NESTING: Code.FAILED_PRECONDITION,
  NOT_A_WORKFLOW: Code.FAILED_PRECONDITION,
  STEP_NOT_FOUND: Code.NOT_FOUND,
  STEP_NOT_SKIPPABLE: Code.FAILED_PRECONDITION,
  BATCH_NOT_FOUND: Code.NOT_FOUND,
  BATCH_SEALED: Code.FAILED_PRECONDITION,
  BATCH_CANCELLED: Code.FAILED_PRECONDITION,
  BATCH_ENDED: Code.FAILED_PRECONDITION,
  BATCH_FULL: Code.FAILED_PRECONDITION,
  BATCH_RETRIED: Code.FAILED_PRECONDITION,
  NOTHING_TO_RETRY: Code.FAILED_PRECONDITION,
  JOB_NOT_AWAITING_APPROVAL: Code.FAILED_PRECONDITION,
  SIGNALS_FULL: Code.RESOURCE_EXHAUSTED,
  DEPENDENCY_CYCLE: Code.FAILED_PRECONDITION,
  DEPENDENCY_GRAPH_TOO_LARGE: Code.RESOURCE_EXHAUSTED,
  PARENT_ATTEMPT_CLOSED: Code.FAILED_PRECONDITION,
  TOO_MANY_CHILDREN: Code.FAILED_PRECONDITION,
  TOO_MANY_DEPENDENCIES: Code.FAILED_PRECONDITION,
  DEFINITION_ARCHIVED: Code.FAILED_PRECONDITION,
  SESSION_CLOSED: Code.FAILED_PRECONDITION,
  QUEUE_NOT_EMPTY: Code.FAILED_PRECONDITION,
  QUEUE_NOT_FOUND: Code.NOT_FOUND,
  SCHEDULE_NOT_FOUND: Code.NOT_FOUND,
  TRIGGER_NOT_FOUND: Code.NOT_FOUND,
  ROLLOUT_NOT_FOUND: Code.NOT_FOUND,
  ROLLOUT_ENDED: Code.FAILED_PRECONDITION,
  SESSION_NOT_FOUND: Code.NOT_FOUND,
  CIRCUIT_BREAKER_NOT_FOUND: Code.NOT_FOUND,
  QUEUE_EXISTS: Code.ALREADY_EXISTS,
  ETAG_STALE: Code.ABORTED,
  INPUT_SCHEMA_VIOLATED: Code.INVALID_ARGUMENT,
  LEASE_LOST: Code.FAILED_PRECONDITION,
  EVENT_POSITION_GONE: Code.OUT_OF_RANGE,
  EVENTS_UNAVAILABLE: Code.UNAVAILABLE,
  PROTOCOL_VERSION_UNSUPPORTED: Code.FAILED_PRECONDITION,
  HOST_NOT_ALLOWED: Code.PERMISSION_DENIED,
  ORIGIN_NOT_ALLOWED: Code.PERMISSION_DENIED,
  LIMIT_REACHED: Code.RESOURCE_EXHAUSTED,
  REQUEST_TOO_LARGE: Code.RESOURCE_EXHAUSTED,
  OVERLOADED: Code.RESOURCE_EXHAUSTED,
  QUEUE_FULL: Code.RESOURCE_EXHAUSTED,
  STORE_FULL: Code.RESOURCE_EXHAUSTED,
  STORE_UNAVAILABLE: Code.UNAVAILABLE,
  SHUTTING_DOWN: Code.UNAVAILABLE,
  CONFLICT: Code.ABORTED,
  NOT_IMPLEMENTED: Code.UNIMPLEMENTED,
  DEADLINE_EXCEEDED: Code.DEADLINE_EXCEEDED,
  CALL_CANCELLED: Code.CANCELLED,
  INTERNAL: Code.INTERNAL,
};

/** A refusal by the API itself. */
export class ApiError extends Error {
  readonly reason: ApiReason;
  readonly metadata: Readonly<Record<string, string>>;

  constructor(reason: ApiReason, message: string, metadata: Readonly<Record<string, string>> = {}) {
    super(message);
    this.reason = reason;
    this.metadata = metadata;
  }
}

/** Codes whose details name the field at fault. */
const namesField: ReadonlySet<number> = new Set([Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED]);

interface StatusPart {
  readonly desc: DescMessage;
  readonly value: Message;
}

export interface RpcStatus {
  readonly code: number;
  readonly message: string;
  /** google.rpc.Status in binary, for the trailer `grpc-status-details-bin`. */
  readonly details: Uint8Array;
  /** The details one by one, for transports that carry them separately. */
  readonly parts: readonly StatusPart[];
  /** Set if the fault is ours: the error for the log, under an id that the caller also gets. */
  readonly fault?: { readonly id: string; readonly error: unknown };
}

interface Refusal {
  readonly reason: ApiReason;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations?: InvalidRequest['violations'];
  readonly retryAfterMs?: number | undefined;
}

/** In UTF-16 units; percent-encoding in the trailer may make it nine times as long. */
const MAX_MESSAGE = 256;

function encode(refusal: Refusal): RpcStatus {
  const { reason, metadata, violations, retryAfterMs } = refusal;
  const message = cutText(refusal.message, MAX_MESSAGE);
  const code = codes[reason];
  const parts: StatusPart[] = [];
  const add = <D extends DescMessage>(desc: D, value: MessageInitShape<D>) =>
    parts.push({ desc, value: create(desc, value) });
  add(ErrorInfoSchema, { reason, domain: 'muster', metadata: { ...metadata } });
  if (violations) add(BadRequestSchema, { fieldViolations: [...violations] });
  if (code === Code.FAILED_PRECONDITION) {
    const subject = metadata.job_id ?? metadata.session_id ?? '';
    add(PreconditionFailureSchema, { violations: [{ type: reason, subject, description: message }] });
  }
  if (retryAfterMs !== undefined) add(RetryInfoSchema, { retryDelay: durationTo(retryAfterMs) });
  const details = parts.map(({ desc, value }) => anyPack(desc, value));
  return { code, message, details: toBinary(StatusSchema, create(StatusSchema, { code, message, details })), parts };
}

/** Converts any thrown value to a status. An unexpected error becomes INTERNAL with an id; its details are not sent. */
export function statusOf(error: unknown): RpcStatus {
  if (error instanceof InvalidRequest)
    return encode({ reason: 'INVALID_FIELD', message: error.message, metadata: {}, violations: error.violations });
  if (error instanceof ApiError)
    return encode({ reason: error.reason, message: error.message, metadata: error.metadata });
  const refusal = asEngineError(error);
  if (refusal.reason !== 'INTERNAL') {
    const { reason, message } = refusal;
    const { field, violations, metadata, retryAfterMs } = refusal.facts;
    const isField = namesField.has(codes[reason]) && field !== undefined;
    return encode({
      reason,
      message,
      metadata: metadata ?? {},
      retryAfterMs,
      ...(isField ? { violations: violations ?? [{ field, description: message }] } : {}),
    });
  }
  const id = randomUUID();
  const status = encode({
    reason: 'INTERNAL',
    message: `internal error ${id}; the server's log says more under this id`,
    metadata: { error_id: id },
  });
  return { ...status, fault: { id, error } };
}
