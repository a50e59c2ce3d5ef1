/**
 * Encodes the engine's messages to a session as SessionMessage bytes, many at a time: each call of `toBinary` costs 4
 * µs before its first field.
 */
import { toBinary } from '@bufbuild/protobuf';
import {
  type Assignment as AssignmentMessage,
  type CancelNotice as CancelNoticeMessage,
  SessionMessageSchema,
} from '@muster/sdk/gen/muster/worker/v1/assignment_pb';
import type { Payload } from '../domain/base/payload.ts';
import type { Assignment, CancelNotice } from '../engine/base/messages.ts';
import { toAssignmentMessage, toCancelMessage } from '../wire/assignment.ts';

/** An upper bound for all numbers, tags and lengths of an assignment and its parts. */
const fixedBytes = 160;

/** Encoded message with these assignments. */
export function encodeAssignments(assignments: readonly Assignment[]): Uint8Array {
  return encode(assignments.map(toAssignmentMessage), [], 0n);
}

/** Encoded message with these cancels. */
export function encodeCancels(notices: readonly CancelNotice[]): Uint8Array {
  return encode([], notices.map(toCancelMessage), 0n);
}

/** Encoded message with this ping. */
export function encodePing(counter: number): Uint8Array {
  return encode([], [], BigInt(counter));
}

function encode(assignments: AssignmentMessage[], cancels: CancelNoticeMessage[], ping: bigint): Uint8Array {
  return toBinary(SessionMessageSchema, { $typeName: 'muster.worker.v1.SessionMessage', assignments, cancels, ping });
}

/**
 * Distributes assignments, in order, over as few messages as the limit allows. An assignment that exceeds the limit
 * gets a message of its own.
 *
 * @param limit Maximum bytes of an encoded message.
 */
export function splitBySize(assignments: readonly Assignment[], limit: number): Assignment[][] {
  const groups: Assignment[][] = [];
  let group: Assignment[] = [];
  let size = 0;
  for (const assignment of assignments) {
    const bytes = boundSize(assignment);
    if (size + bytes > limit && group.length > 0) {
      groups.push(group);
      group = [];
      size = 0;
    }
    group.push(assignment);
    size += bytes;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

/**
 * Upper bound of an assignment's bytes in its message, at most 160 too high; computed, so that nothing is encoded
 * twice.
 */
function boundSize(assignment: Assignment): number {
  return (
    fixedBytes +
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
