/** Messages from the engine to sessions, in its own types; the bus and the API convert them to the contract's. */

import type { Payload } from '../../domain/base/payload.ts';
import type { LeaseLossAction } from '../../domain/definitions/definition.ts';

/** One attempt of a job for one session. Ids are UUIDs in canonical text. */
export interface Assignment {
  readonly jobId: string;
  readonly attempt: number;
  readonly creditId: number;
  readonly prefetch: boolean;
  readonly namespace: string;
  readonly definition: string;
  readonly definitionVersion: number;
  readonly handler: string;
  readonly input: Payload;
  readonly runTimeoutMs: number;
  readonly leaseLossAction: LeaseLossAction;
  readonly attemptCount: number;
  readonly checkpoint?: Payload | undefined;
  /** Empty when the submitter sent none. */
  readonly traceparent: string;
  readonly tracestate: string;
}

export interface CancelNotice {
  readonly jobId: string;
  readonly attempt: number;
}

/** Asks to stop an attempt of a job that continues later. */
export interface SuspendNotice extends CancelNotice {
  /** What is left of the grace period. */
  readonly graceMs: number;
}

/** A lane with ready jobs, and the lowest rank among them known to the sender. */
export interface LaneHint {
  readonly laneId: number;
  readonly rank: number;
  /** Number of jobs that became ready, if known to the sender; not sent to other replicas. */
  readonly jobs?: number | undefined;
  /** Whether the lane has limits, if the sender has just read it; not sent to other replicas. */
  readonly limited?: boolean | undefined;
}

/** Hints between replicas. A lost hint costs at most two seconds. */
export type Hint =
  | { readonly kind: 'ready'; readonly lanes: readonly LaneHint[] }
  | { readonly kind: 'ended'; readonly jobIds: readonly string[] }
  /** Log records of these jobs were stored. */
  | { readonly kind: 'logged'; readonly jobIds: readonly string[] }
  /** Permits under the limits of these lanes were released. */
  | { readonly kind: 'freed'; readonly laneIds: readonly number[] }
  /** Permits under the limits of these keys were released. */
  | { readonly kind: 'freedKeys'; readonly limitIds: readonly string[] }
  /** Resources of these sessions were released. */
  | { readonly kind: 'freedCapacity'; readonly sessionIds: readonly string[] };

/** An upper bound for all numbers, tags and lengths of an assignment and its parts. */
const FIXED_BYTES = 160;

/**
 * Upper bound of an assignment's bytes in its message, at most 160 too high; computed, so that nothing is encoded
 * twice.
 */
export function assignmentBytes(assignment: Assignment): number {
  return (
    FIXED_BYTES +
    Buffer.byteLength(assignment.handler) +
    Buffer.byteLength(assignment.definition) +
    Buffer.byteLength(assignment.namespace) +
    Buffer.byteLength(assignment.traceparent) +
    Buffer.byteLength(assignment.tracestate) +
    boundPayload(assignment.input) +
    (assignment.checkpoint ? boundPayload(assignment.checkpoint) : 0)
  );
}

function boundPayload(payload: Payload): number {
  let bytes = payload.data.length + Buffer.byteLength(payload.contentType);
  // An entry, its key and its value each have a tag and a length: at most 12 bytes together.
  for (const key in payload.metadata) {
    bytes += 12 + Buffer.byteLength(key) + Buffer.byteLength(payload.metadata[key] as string);
  }
  return bytes;
}
